#!/usr/bin/env python3
"""100 training steps of the built-in model: the device against the processor, and what bfloat16 alone does.

    check_training.py PROGRAM [--device cpu|cuda] [--steps 100] [--batch 4] [--r 16]

The same recipe, data, order and first adapter on every side, dropout 0; the checkpoint is rounded to bfloat16 first so
that every side quantises the same values:

- `qlora-studio train` with device cpu, float32: what the others are held against;
- `qlora-studio train` on the device;
- transformers + peft + bitsandbytes in bfloat16 on the device, padded, AdamW, clipping at 1: the noise of bfloat16.

Compared are the losses of metrics.jsonl, before each step's update, relative to the processor's. Exit 1 unless the
mean difference is at most 1.5 times the peer's and the largest at most twice the peer's (two runs in bfloat16 differ
from float32 by noise of one size, not by the same numbers).
"""
import argparse
import json
import math
import pathlib
import statistics
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

import phi_reference as phi
import recipes

p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
p.add_argument("--model_path", type=pathlib.Path, default=recipes.BUILT_IN)
p.add_argument("--steps", type=int, default=100)
p.add_argument("--batch", type=int, default=4)
p.add_argument("--length", type=int, default=512)
p.add_argument("--r", type=int, default=16)
p.add_argument("--learning_rate", type=float, default=2e-4)
a = p.parse_args()
torch.manual_seed(0)


def ours(work, model, adapter, device):
    recipe = recipes.write(work, {
        "model_name_or_path": str(model), "data_path": str(recipes.SAMPLE), "paths": "best", "packing": False,
        "shuffle": False, "max_seq_length": a.length, "per_device_train_batch_size": a.batch,
        "validation_fraction": 0, "max_steps": a.steps, "learning_rate": a.learning_rate,
        "lr_scheduler_type": "constant", "warmup_steps": 0, "warmup_ratio": 0, "weight_decay": 0, "max_grad_norm": 1,
        "eval_strategy": "no", "save_strategy": "no", "seed": 1, "device": device},
        recipes.nf4(a.r, 2 * a.r))
    run = work / f"run-{device}-{len(list(work.iterdir()))}"
    recipes.run(a.program, "train", *recipe, "--adapter", adapter, "--output_dir", run)
    return [m for m in map(json.loads, open(run / "metrics.jsonl")) if "loss" in m]


def conversations(work, model):
    """(tokens, supervised) in the file's order, as `prepare` writes them."""
    recipes.run(a.program, "prepare", "--data", recipes.SAMPLE, "--out", work / "data", "--tokenizer", model, "--paths", "best",
            "--max_seq_length", a.length, "--validation_fraction", "0")
    data = load_file(work / "data/tokens.safetensors")
    spans, sizes = data["example_spans"].tolist(), data["span_tokens"].tolist()
    found, span, token = [], 0, 0
    for count in spans:
        size = sum(sizes[span:span + count])
        found.append((data["tokens"][token:token + size].long(), data["supervised"][token:token + size].bool()))
        token, span = token + size, span + count
    return found


def batches(examples):
    while True:
        for at in range(0, len(examples), a.batch):
            yield examples[at:at + a.batch]


def peer(work, model, adapter, measured):
    net = PeftModel.from_pretrained(phi.peer(model, a.device), adapter, is_trainable=True).train()
    parameters = [x for x in net.parameters() if x.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=a.learning_rate, weight_decay=0)
    losses, source = [], batches(conversations(work, model))
    for step in range(a.steps):
        batch = next(source)
        longest = max(len(t) for t, _ in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        seen, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
        for row, (tokens, supervised) in enumerate(batch):
            ids[row, :len(tokens)], seen[row, :len(tokens)] = tokens, 1
            labels[row, :len(tokens)][supervised] = tokens[supervised]
        assert int(seen.sum()) == measured[step]["tokens"], f"step {step + 1}: other conversations"
        ids, seen, labels = (t.to(a.device) for t in (ids, seen, labels))
        logits = net(input_ids=ids, attention_mask=seen, use_cache=False).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    return losses


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    model = phi.bfloat16_copy(a.model_path, work / "model")
    fresh = get_peft_model(phi.reference(model, quantised=False),
                           LoraConfig(r=a.r, lora_alpha=2 * a.r, lora_dropout=0.0, task_type="CAUSAL_LM",
                                      target_modules=recipes.TARGETS))
    fresh.save_pretrained(work / "adapter")
    wanted = ours(work, model, work / "adapter", "cpu")
    mine = ours(work, model, work / "adapter", a.device)
    theirs = peer(work, model, work / "adapter", wanted)


def difference(name, losses):
    each = [abs(loss - w["loss"]) / w["loss"] for loss, w in zip(losses, wanted)]
    assert len(each) == a.steps and not any(map(math.isnan, each)), f"{name}: {len(each)} steps"
    worst = max(range(len(each)), key=each.__getitem__)
    result = {"mean": statistics.mean(each), "largest": each[worst], "step": worst + 1, "first": each[0],
              "last_loss": losses[-1]}
    print(f"{name:<30} mean {result['mean']:.3e}, largest {result['largest']:.3e} (step {worst + 1}), "
          f"first {each[0]:.3e}; last loss {losses[-1]:.6f}")
    return result


print(f"{a.steps} steps, loss {wanted[0]['loss']:.6f} -> {wanted[-1]['loss']:.6f} on the processor; "
      "relative differences of the loss:")
result = {"ours": difference(f"ours, {a.device}", [m["loss"] for m in mine]),
          "peer": difference("transformers + peft, bfloat16", theirs)}
print(json.dumps(result))
good = result["ours"]["mean"] <= 1.5 * result["peer"]["mean"] and \
    result["ours"]["largest"] <= 2 * result["peer"]["largest"]
print("within bfloat16's noise" if good else "FAILED: further off than bfloat16's noise")
sys.exit(not good)
