#!/usr/bin/env python3
"""Training on the CPU: this program beside transformers + peft, in one call.

    python3 compare_cpu.py PROGRAM MODEL_DIR [--rounds 3]

The same shape on both sides: 4 conversations of 512 random tokens, unpacked, LoRA r 16 on all six linears, float32
base, 2 threads. The peer's time is forward and backward; ours includes the optimizer. Rounds alternate, medians are
printed, so that what else the machine does meets both. Ours with an NF4 base, and with conversations of unequal length
(where a peer pads and we pack), stand beside it.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("model")
p.add_argument("--rounds", type=int, default=3)
a = p.parse_args()
here = pathlib.Path(__file__).resolve().parent
root = here.parents[2]


def ours(*arguments):
    out = subprocess.run([a.program, "bench", "train", "--model_path", a.model, "--threads", "2", "--json", *arguments],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def peer():
    out = subprocess.run([sys.executable, here / "cpu_train.py", "--model_path", a.model, "--threads", "2"], check=True,
                         capture_output=True, text=True).stdout
    result = json.loads(out)
    return dict(tokens_per_s=result["rows"] / result["seconds_median"],
                supervised_tokens_per_s=result["supervised_tokens"] / result["seconds_median"])


def demo(packing):
    """Real conversations of unequal length: the first 20 steps of the demonstration."""
    with tempfile.TemporaryDirectory() as folder:
        config = root / "resources/config/demo"
        out = subprocess.run([a.program, "train", "--config", config / "training_config.yaml", "--qlora_config",
                              config / "qlora_config.json", "--output_dir", folder + "/run", "--set", "max_steps=20",
                              "--set", f"packing={packing}", "--set", "validation_fraction=0", "--json"], check=True,
                             capture_output=True, text=True).stdout
        metrics = [json.loads(line) for line in open(folder + "/run/metrics.jsonl")]
    steps = [m for m in metrics if "loss" in m]
    seconds = sum(m["seconds"] for m in steps)
    return dict(tokens_per_s=sum(m["tokens"] for m in steps) / seconds,
                supervised_tokens_per_s=sum(m["supervised_tokens"] for m in steps) / seconds)


rows = {}
for _ in range(a.rounds):
    rows.setdefault("transformers + peft, float32 base", []).append(peer())
    rows.setdefault("ours, float32 base", []).append(ours("--load_in_4bit", "false"))
    rows.setdefault("ours, NF4 base", []).append(ours())
rows["ours, NF4 base, real conversations, unpacked"] = [demo("false")]
rows["ours, NF4 base, real conversations, packed"] = [demo("true")]
medians = {name: statistics.median(r["tokens_per_s"] for r in results) for name, results in rows.items()}
for name, results in rows.items():
    supervised = statistics.median(r["supervised_tokens_per_s"] for r in results)
    print(f"{name:<48} {medians[name]:7.0f} tokens/s {supervised:7.0f} supervised")
print(f"ours / peer: {medians['ours, float32 base'] / medians['transformers + peft, float32 base']:.2f}")
