#!/usr/bin/env python3
"""Recomputes what `qlora-studio train --dry_run --dump DIR` wrote, with transformers, peft and bitsandbytes.

Usage: check_dump.py DUMP_DIR MODEL_DIR ADAPTER_DIR [--unquantised] [--single_quant]

The batch's own rows, positions, segments and contexts become one 4-D attention mask; the loss is built from its
targets. Prints the largest deviations and fails above 1e-4 (logits, absolute and relative to the largest gradient of
each tensor) or 1e-5 (loss, relative).
"""
import argparse
import json
import pathlib
import sys

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

p = argparse.ArgumentParser()
p.add_argument("dump", type=pathlib.Path)
p.add_argument("model")
p.add_argument("adapter")
p.add_argument("--unquantised", action="store_true")
p.add_argument("--single_quant", action="store_true")
a = p.parse_args()

batch = json.loads((a.dump / "batch.json").read_text())
dump = load_file(a.dump / "dump.safetensors")
model = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32, attn_implementation="eager")
if not a.unquantised:
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            q, state = quantize_4bit(module.weight.data, quant_type="nf4", compress_statistics=not a.single_quant)
            module.weight.data = dequantize_4bit(q, state).to(torch.float32)
model = PeftModel.from_pretrained(model, a.adapter, is_trainable=True)
model.eval()  # no dropout; gradients still flow

rows = len(batch["tokens"])
allowed = torch.zeros(rows, rows, dtype=torch.bool)
for s in batch["segments"]:
    for begin, end in s["context"]:
        allowed[s["begin"]:s["end"], begin:end] = True
    n = s["end"] - s["begin"]
    allowed[s["begin"]:s["end"], s["begin"]:s["end"]] = torch.tril(torch.ones(n, n, dtype=torch.bool))
mask = torch.zeros(rows, rows).masked_fill(~allowed, torch.finfo(torch.float32).min)[None, None]

logits = model(input_ids=torch.tensor([batch["tokens"]]), position_ids=torch.tensor([batch["positions"]]),
               attention_mask=mask, use_cache=False).logits[0]
target_rows = torch.tensor([t["row"] for t in batch["targets"]])
tokens = torch.tensor([t["token"] for t in batch["targets"]])
weights = torch.tensor([t["weight"] for t in batch["targets"]])
nll = torch.nn.functional.cross_entropy(logits[target_rows], tokens, reduction="none")
loss = (weights * nll).sum() / weights.sum()
loss.backward()

bad = 0


def check(what, error, bound):
    global bad
    bad += not error <= bound
    print(f"{what:<28} {error:.2e}  (bound {bound:g}){'' if error <= bound else '  FAILED'}")


check("loss, relative", abs((weights * dump["losses"]).sum() / weights.sum() - loss).item() / loss.item(), 1e-5)
check("nll of a target", (dump["losses"] - nll).abs().max().item(), 1e-4)
check("logits", (dump["logits"] - logits[torch.unique(target_rows)]).abs().max().item(), 1e-4)
worst, count = 0.0, 0
for name, parameter in model.named_parameters():
    if "lora_" not in name:
        continue
    ours = dump[name.replace(".default", "")]
    scale = parameter.grad.abs().max().item()
    worst = max(worst, (ours - parameter.grad).abs().max().item() / max(scale, 1e-30))
    count += 1
check(f"gradients of {count} tensors", worst, 1e-4)
print(f"{rows} rows, {len(batch['segments'])} segments, {len(tokens)} targets, loss {loss.item():.6f}")
sys.exit(bad > 0)
