#!/usr/bin/env python3
"""One GPU: this program beside transformers + peft + bitsandbytes, on the same random phi-2-shaped checkpoint, in one
call.

    python3 compare_gpu.py PROGRAM [--model_path DIR] [--only NAME]

Without --model_path the program makes the checkpoint (5.56 GB in the temporary folder). Medians of the steps after
warm-up. A line a measurement: ours, the peer's, how many times better ours is; peaks are of the allocator on both sides.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("--model_path", default=str(pathlib.Path(tempfile.gettempdir()) / "qlora-studio-bench-phi-2"))
p.add_argument("--only", default="")
a = p.parse_args()
here = pathlib.Path(__file__).resolve().parent

# name, ours, the peer's (None: it has nothing like it)
MEASUREMENTS = [
    ("load", ["load"], ["--what", "load"]),
    ("train 16x512", ["train", "--batch", "16", "--length", "512", "--memory_mode", "keep_all"],
     ["--what", "train", "--batch", "16", "--length", "512"]),
    # The peer has no room for eight.
    ("train 8x2048 keep_all", ["train", "--batch", "8", "--length", "2048", "--memory_mode", "keep_all"],
     ["--what", "train", "--batch", "4", "--length", "2048"]),
    ("train 8x2048 selective", ["train", "--batch", "8", "--length", "2048", "--memory_mode", "selective"], None),
    ("train 8x2048 recompute", ["train", "--batch", "8", "--length", "2048", "--memory_mode", "recompute"],
     ["--what", "train", "--batch", "4", "--length", "2048", "--checkpointing"]),
    ("train 16x512 recompute", ["train", "--batch", "16", "--length", "512", "--memory_mode", "recompute"],
     ["--what", "train", "--batch", "16", "--length", "512", "--checkpointing"]),
    ("train 1x512 recompute", ["train", "--batch", "1", "--length", "512", "--memory_mode", "recompute"],
     ["--what", "train", "--batch", "1", "--length", "512", "--checkpointing"]),
    ("decode", ["decode", "--prompt", "512", "--new_tokens", "400", "--r", "16"],
     ["--what", "decode", "--prompt", "512", "--new_tokens", "40", "--r", "16"]),
    ("prefill 2000", ["decode", "--prompt", "2000", "--new_tokens", "40", "--r", "16"],
     ["--what", "decode", "--prompt", "2000", "--new_tokens", "8", "--r", "16"]),
]
# What is compared, and whether more is better.
FIGURES = {"load": ("seconds", "load_seconds", False), "prefill 2000": ("prefill_ms", "prefill_ms", False)}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(arguments):
    extra = [] if "--r" in arguments else ["--r", "64"]
    return run([a.program, "bench", arguments[0], "--device", "cuda", "--json", *arguments[1:], *(
        extra if arguments[0] != "load" else [])])


ours(["load"])  # makes the checkpoint, and brings it into the page cache
for name, mine, theirs in MEASUREMENTS:
    if a.only not in name:
        continue
    left = ours(mine)
    line = {"name": name, "ours": left}
    if theirs:
        right = line["peer"] = run([sys.executable, str(here / "gpu_peer.py"), a.model_path, *theirs])
        key, peer_key, more = FIGURES.get(name, ("tokens_per_s", "tokens_per_s", True))
        if key in left and peer_key in right:
            ratio = left[key] / right[peer_key]
            line["ratio"] = round(ratio if more else 1 / ratio, 2)  # above 1: ours is better
    print(json.dumps(line), flush=True)
