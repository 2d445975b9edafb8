#!/usr/bin/env python3
"""Recomputes what `qlora-studio train --dry_run --dump DIR` wrote, with transformers, peft and bitsandbytes.

Usage: check_dump.py DUMP_DIR MODEL_DIR ADAPTER_DIR [--unquantised] [--single_quant]

The batch's own rows, positions, segments and contexts become one 4-D attention mask; the loss is built from its
targets. Prints the largest deviations and fails above 1e-4 (logits, absolute and relative to the largest gradient of
each tensor) or 1e-5 (loss, relative).
"""
import argparse
import pathlib
import sys

from peft import PeftModel

from phi_reference import batch_loss, gradients, read_dump, reference

p = argparse.ArgumentParser()
p.add_argument("dump", type=pathlib.Path)
p.add_argument("model")
p.add_argument("adapter")
p.add_argument("--unquantised", action="store_true")
p.add_argument("--single_quant", action="store_true")
a = p.parse_args()

batch, dump = read_dump(a.dump)
model = reference(a.model, quantised=not a.unquantised, single_quant=a.single_quant, attention="eager")
model = PeftModel.from_pretrained(model, a.adapter, is_trainable=True)
model.eval()  # no dropout; gradients still flow
logits, nll, loss = batch_loss(model, batch)
loss.backward()
weights = dump["losses"].new_tensor([t["weight"] for t in batch["targets"]])

bad = 0


def check(what, error, bound):
    global bad
    bad += not error <= bound
    print(f"{what:<28} {error:.2e}  (bound {bound:g}){'' if error <= bound else '  FAILED'}")


check("loss, relative", abs((weights * dump["losses"]).sum() / weights.sum() - loss).item() / loss.item(), 1e-5)
check("nll of a target", (dump["losses"] - nll).abs().max().item(), 1e-4)
check("logits", (dump["logits"] - logits).abs().max().item(), 1e-4)
worst, count = 0.0, 0
for name, gradient in gradients(model).items():
    scale = gradient.abs().max().item()
    worst = max(worst, (dump[name] - gradient).abs().max().item() / max(scale, 1e-30))
    count += 1
check(f"gradients of {count} tensors", worst, 1e-4)
print(f"{len(batch['tokens'])} rows, {len(batch['segments'])} segments, {len(batch['targets'])} targets, loss {loss.item():.6f}")
sys.exit(bad > 0)
