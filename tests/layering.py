#!/usr/bin/env python3
"""Holds every #include of core/, app/ and ui/ against the arrows that the CMake files declare.

Usage: layering.py SOURCE_DIR MODULES_TXT  (modules.txt is written by CMake at configure time)
"""
import pathlib
import re
import sys

source, modules_txt = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
declared = {}
for line in modules_txt.read_text().splitlines():
    name, _, rest = line.partition(":")
    declared[name.strip()] = [d for d in re.split(r"[;\s]+", rest.strip()) if d]


def reachable(module):
    seen, todo = {module}, [module]
    while todo:
        for d in declared.get(todo.pop(), []):
            if d not in seen:
                seen.add(d)
                todo.append(d)
    return seen


def module_of(path):
    """The longest declared module whose folder holds the path."""
    parts = path.split("/")
    for n in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:n]) in declared:
            return "/".join(parts[:n])
    return None


errors = []
include = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)
torch = re.compile(r"^(torch|ATen|c10)/")
qt = re.compile(r"^Q[A-Z]|^Qt")
checked = 0
for top in ("core", "app", "ui"):
    for file in sorted((source / top).rglob("*")):
        if file.suffix not in (".h", ".cpp", ".cu", ".cuh"):
            continue
        relative = file.relative_to(source).as_posix()
        inside = relative[len("core/"):] if top == "core" else relative
        own = module_of(inside)
        if top == "core" and own is None:
            errors.append(f"{relative}: belongs to no declared module")
            continue
        allowed = reachable(own) if own else set(declared)
        for quote, target in include.findall(file.read_text()):
            checked += 1
            if torch.match(target) and not inside.startswith("engine/"):
                errors.append(f"{relative}: includes {target}; torch stays inside core/engine")
            if torch.match(target) and (inside.startswith("engine/api/") or inside.startswith("engine/kernels/") and file.suffix == ".h"):
                errors.append(f"{relative}: includes {target}; this header must not name torch")
            if qt.match(target) and top == "core":
                errors.append(f"{relative}: includes {target}; core knows no Qt")
            if quote == '"':
                other = module_of(target)
                if other and other not in allowed:
                    errors.append(f"{relative}: includes {target}, but {own} does not declare {other}")
                if top in ("app", "ui") and target.startswith("engine/") and not target.startswith("engine/api/"):
                    errors.append(f"{relative}: includes {target}; only engine/api is for others")
for e in errors:
    print(e)
print(f"{checked} includes, {len(declared)} modules, {len(errors)} undeclared arrows")
sys.exit(1 if errors or not checked else 0)
