#!/usr/bin/env python3
"""One epoch over the bundled sample (1,489 messages): `paths: tree` against `paths: replies`, the same supervised
messages, on a phi-2-shaped random model.

    epoch_paths.py PROGRAM [--device cpu|cuda] [--model_path DIR] [--batch 8] [--length 2048] [--r 64]

Both packed, max_seq_length 2048, micro-batches of at most batch x 2048 rows, phi-2's tokenizer, the same recipe. Two
epochs are run, the second one is counted: the sum of `seconds` in its lines of metrics.jsonl, which is fetching,
forward, backward and update of every step; trees are divided before, rows that a division repeats are among those
computed. Loading, planning, checkpoints and the first epoch's warm-up are outside; planning and division, which take
the processor once an epoch, are in the whole process's time, printed beside it. Exit 1 when the supervised tokens
differ.
"""
import argparse
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import recipes  # noqa: E402

p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
p.add_argument("--model_path")
p.add_argument("--batch", type=int, default=8)
p.add_argument("--length", type=int, default=2048)
p.add_argument("--r", type=int, default=64)
a = p.parse_args()


def epoch(work, model, paths):
    files = recipes.write(work, {
        "model_name_or_path": str(model), "data_path": str(recipes.SAMPLE), "paths": paths, "packing": True,
        "max_seq_length": a.length, "per_device_train_batch_size": a.batch, "validation_fraction": 0,
        "num_train_epochs": 2, "learning_rate": 1e-4, "eval_strategy": "no", "save_strategy": "no",
        "device": a.device}, recipes.nf4(a.r))
    run = work / paths
    begin = time.perf_counter()
    recipes.run(a.program, "train", *files, "--output_dir", run)
    whole = time.perf_counter() - begin
    steps = [m for m in map(json.loads, open(run / "metrics.jsonl")) if "loss" in m]
    second = steps[len(steps) // 2:]
    assert len(steps) % 2 == 0
    return {"steps": len(second), "rows": sum(m["tokens"] for m in second),
            "supervised_tokens": sum(m["supervised_tokens"] for m in second),
            "seconds": sum(m["seconds"] for m in second), "first_epoch_seconds": sum(m["seconds"] for m in steps) -
            sum(m["seconds"] for m in second), "process_seconds": whole}


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    source = pathlib.Path(a.model_path) if a.model_path else recipes.random_model(a.program, a.device)
    model = recipes.with_tokenizer(source, work / "model")
    result = {paths: epoch(work, model, paths) for paths in ("tree", "replies")}
for paths, r in result.items():
    print(f"{paths:<8} {r['steps']} steps, {r['rows']:,} rows, {r['supervised_tokens']:,} supervised tokens in "
          f"{r['seconds']:.2f} s: {r['supervised_tokens'] / r['seconds']:,.0f} supervised tokens/s "
          f"(first epoch {r['first_epoch_seconds']:.2f} s, whole process {r['process_seconds']:.1f} s)")
tree, replies = result["tree"], result["replies"]
result["ratio"] = replies["seconds"] / tree["seconds"]
result["rows_ratio"] = replies["rows"] / tree["rows"]
print(f"tree is {result['ratio']:.2f} times as fast; {result['rows_ratio']:.2f} times fewer rows")
print(json.dumps(result))
sys.exit(tree["supervised_tokens"] != replies["supervised_tokens"])
