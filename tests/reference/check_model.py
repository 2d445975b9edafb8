#!/usr/bin/env python3
"""Logits and LoRA gradients of a phi-2-shaped model: how far from float32 is the engine, and how far are transformers +
peft + bitsandbytes?

    check_model.py PROGRAM [--device cpu|cuda] [--model_path DIR] [--r 64] [--length 512] [--batch 2] [--paths best]

Random weights that `qlora-studio bench` makes (or DIR), rounded to bfloat16 so that every side quantises the same
values; a random adapter on all six linears, B not zero; the longest packed micro-batch of the bundled sample. Three
sides compute the same batch:

- the reference: transformers + peft, float32, linears = bitsandbytes' dequantised NF4 in float32;
- the engine: `qlora-studio train --dry_run --dump`;
- the peer: transformers + peft + bitsandbytes, bfloat16, as tests/bench/peers/gpu_peer.py trains, and once more under
  autocast, as transformers' Trainer does with `bf16: true`.

Errors are relative in the L2 norm, ‖x − reference‖ / ‖reference‖; the largest one is also given in the tensor's own
unit. Exit 1 unless the engine's error of the logits, that of all gradients together and the median over the gradients'
tensors are each no larger than the peer's (the first one, without autocast). On a CPU, a dry run of this script, the
engine is float32.
"""
import argparse
import contextlib
import gc
import json
import pathlib
import statistics
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model

import phi_reference as phi
import recipes

p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
p.add_argument("--model_path")
p.add_argument("--r", type=int, default=64)
p.add_argument("--length", type=int, default=512)
p.add_argument("--batch", type=int, default=2)
p.add_argument("--paths", default="best", choices=["best", "leaves", "replies", "tree"])
a = p.parse_args()
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = False


def ours(work, model, adapter):
    recipe = recipes.write(work, {
        "model_name_or_path": str(model), "data_path": str(recipes.SAMPLE), "paths": a.paths, "packing": True,
        "max_seq_length": a.length, "per_device_train_batch_size": a.batch, "validation_fraction": 0, "max_steps": 1,
        "device": a.device}, recipes.nf4(a.r))
    recipes.run(a.program, "train", *recipe, "--adapter", adapter, "--dry_run", "--dump", work / "dump")
    return phi.read_dump(work / "dump")


def computed(model, batch, dtype, autocast):
    context = torch.autocast(a.device, torch.bfloat16) if autocast else contextlib.nullcontext()
    model.zero_grad(set_to_none=True)
    with context:
        logits, _, loss = phi.batch_loss(model, batch, a.device, dtype)
    loss.backward()
    return logits.detach().float().cpu(), phi.gradients(model), loss.item()


def release():
    gc.collect()
    if a.device == "cuda":
        torch.cuda.empty_cache()


def errors(side, reference):
    logits, gradients, loss = side
    wanted, wanted_gradients, wanted_loss = reference
    each = {n: phi.distance(gradients[n], g) for n, g in wanted_gradients.items()}
    together = phi.distance(torch.cat([gradients[n].flatten() for n in wanted_gradients]),
                            torch.cat([g.flatten() for g in wanted_gradients.values()]))
    worst = max(each, key=each.get)
    return {"loss": abs(loss - wanted_loss) / wanted_loss, "logits": phi.distance(logits, wanted),
            "logits_max": (logits - wanted).abs().max().item(), "gradients": together,
            "gradients_median": statistics.median(each.values()), "gradients_worst": each[worst],
            "gradients_max": max((gradients[n] - g).abs().max().item() for n, g in wanted_gradients.items()),
            "worst": worst.removeprefix("base_model.model.model."), "each": each}


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    source = pathlib.Path(a.model_path) if a.model_path else recipes.random_model(a.program, a.device)
    model = phi.bfloat16_copy(source, work / "model")
    recipes.give_tokenizer(model)

    base = get_peft_model(phi.reference(model, a.device),
                          LoraConfig(r=a.r, lora_alpha=a.r, lora_dropout=0.0, task_type="CAUSAL_LM",
                                     target_modules=recipes.TARGETS))
    for name, parameter in base.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.01)
    base.save_pretrained(work / "adapter")
    batch, dump = ours(work, model, work / "adapter")
    base.eval()  # no dropout; gradients still flow
    reference = computed(base, batch, torch.float32, False)
    del base
    release()

    weights = torch.tensor([t["weight"] for t in batch["targets"]])
    loss = ((weights * dump["losses"]).sum() / weights.sum()).item()
    sides = {"ours": (dump["logits"], dump, loss)}
    other = PeftModel.from_pretrained(phi.peer(model, a.device), work / "adapter", is_trainable=True).eval()
    sides["peer"] = computed(other, batch, torch.bfloat16, False)
    sides["peer, autocast"] = computed(other, batch, torch.bfloat16, True)
    del other

print(f"{len(batch['tokens'])} rows, {len(batch['segments'])} segments, {len(batch['targets'])} targets, "
      f"{len(reference[1])} gradients, loss {reference[2]:.6f}")
found = {name: errors(side, reference) for name, side in sides.items()}
print(f"{'':<26}" + "".join(f"{name:>18}" for name in found))
for key, text in {"loss": "loss, relative", "logits": "logits", "logits_max": "logits, largest",
                  "gradients": "gradients, together", "gradients_median": "gradients, median",
                  "gradients_worst": "gradients, worst tensor", "gradients_max": "gradients, largest"}.items():
    print(f"{text:<26}" + "".join(f"{found[name][key]:>18.3e}" for name in found))
print(f"{'worst tensor':<26}" + "; ".join(f"{name}: {e['worst']}" for name, e in found.items()))
left, right = found["ours"], found["peer"]
further = sum(left["each"][n] > right["each"][n] for n in left["each"])
print(f"ours is further off than the peer in {further} of {len(left['each'])} gradients")
failed = [key for key in ("logits", "gradients", "gradients_median") if not left[key] <= right[key]]
print("FAILED: " + ", ".join(failed) if failed else "no further from float32 than the peer")
print(json.dumps({name: {k: v for k, v in e.items() if k != "each"} for name, e in found.items()}))
sys.exit(bool(failed))
