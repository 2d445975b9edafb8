#!/usr/bin/env python3
"""Everything the engine has to show on a card besides speed, one after the other, a line each; the whole output of each
goes to LOGS. Needs torch, transformers, peft and bitsandbytes for the GPU.

    python3 tests/bench/gpu_proofs.py [--build build] [--device cuda|cpu] [--only NAME,NAME] [--logs DIR]

With --device cpu it runs what a machine without a card can: small shapes and the built-in model, for the sake of the
scripts. Exit 1 when one of them fails.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
p = argparse.ArgumentParser()
p.add_argument("--build", type=pathlib.Path, default=root / "build")
p.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
p.add_argument("--only", default="")
p.add_argument("--logs", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "qlora-studio-gpu-proofs")
a = p.parse_args()
program, probe = a.build / "bin/qlora-studio", a.build / "tests/bin/probe"
reference, bench = root / "tests/reference", root / "tests/bench"
toy = root / "resources/demo/model"
card = a.device == "cuda"

# name, script, arguments on a card, arguments without one
PROOFS = [
    ("nf4", reference / "check_nf4.py", [probe], [probe, "--small"]),
    ("model", reference / "check_model.py", [program], [program, "--model_path", toy, "--r", "8", "--length", "128"]),
    ("model-trees", reference / "check_model.py", [program, "--paths", "tree"],
     [program, "--model_path", toy, "--r", "8", "--length", "128", "--paths", "tree", "--batch", "1"]),
    ("decoding", reference / "check_decoding.py", [program, probe], [program, probe, "--prompts", "3"]),
    ("training", reference / "check_training.py", [program], [program, "--steps", "2", "--length", "128"]),
    ("train-bench", None, [program, "bench", "train", "--device", "cuda", "--batch", "8", "--length", "2048", "--r", "64",
                           "--memory_mode", "keep_all", "--json"],
     [program, "bench", "train", "--steps", "1", "--json"]),
    ("epoch", bench / "epoch_paths.py", [program], None),
]

a.logs.mkdir(parents=True, exist_ok=True)
failed = 0
for name, script, with_card, without in PROOFS:
    arguments = with_card if card else without
    if arguments is None or (a.only and name not in a.only.split(",")):
        continue
    command = [*map(str, arguments)]
    if script:
        command = [sys.executable, str(script), *command, "--device", a.device]
    log, begin = a.logs / f"{name}.log", time.perf_counter()
    with open(log, "w") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
    # The last words before the JSON line, if there are any.
    lines = [x for x in log.read_text().splitlines() if x.strip()]
    said = [x for x in lines if not x.startswith("{")] if script else lines
    failed += code != 0
    print(f"{'ok  ' if code == 0 else 'FAIL'} {name:<14} {time.perf_counter() - begin:6.1f} s  {said[-1] if said else ''}  "
          f"({log})", flush=True)
sys.exit(failed > 0)
