#!/usr/bin/env python3
"""Writes char_ranges.inc: which code points the GPT-2 pattern of the tokenizers library takes for \\p{L}, \\p{N}, \\s.

    python3 make_char_ranges.py > char_ranges.inc

The classes are read off the library's own behaviour, so that they have its Unicode version (16.0 in tokenizers 0.23)
whatever version this machine's Python, utf8proc or PCRE2 have. Needs: tokenizers.
"""
from tokenizers import pre_tokenizers

split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str


def joins(neighbour, char):
    """True where the pattern keeps the two characters in one word."""
    return len(split(neighbour + char)) == 1


def char_class(char):
    if joins("a", char):
        return "Letter"
    if joins("1", char):
        return "Number"
    return "Other" if joins("!", char) else "Space"


ranges = {"Letter": [], "Number": [], "Space": []}
for code in range(0x110000):
    if 0xD800 <= code < 0xE000:
        continue
    found = ranges.get(char_class(chr(code)))
    if found is None:
        continue
    if found and found[-1][1] == code - 1:
        found[-1][1] = code
    else:
        found.append([code, code])

print("// Written by make_char_ranges.py; do not edit. Classes of the GPT-2 pattern as the tokenizers library has them.")
for name, found in ranges.items():
    print(f"constexpr CharRange k{name}Ranges[] = {{")
    cells = [f"{{0x{first:X}, 0x{last:X}}}" for first, last in found]
    line = "   "
    for cell in cells:
        if len(line) + len(cell) + 2 > 118:
            print(line)
            line = "   "
        line += f" {cell},"
    print(line)
    print("};")
