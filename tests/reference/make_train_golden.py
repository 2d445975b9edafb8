#!/usr/bin/env python3
"""Writes train.json: eight optimizer steps of transformers + peft + torch.optim.AdamW on the model of make_phi_golden.py.

    OMP_NUM_THREADS=1 python3 make_train_golden.py data

Each step has up to three micro-batches with unequal numbers of targets; the seventh ends the epoch and has two. Loss and
gradient are those of sum w·nll / sum w over the step; weight decay is 1.0 and clipping is active in every step.
Variants are wrong on purpose: no weight decay, no clipping, the mean of the micro-batches' means.
"""
import json
import math
import os
import random
import sys

import torch
import transformers
from make_phi_golden import build, evaluate, paths_batch

PLAN = dict(total_steps=8, accumulation=3, learning_rate=4e-3, lr_scheduler="cosine", warmup_steps=2, weight_decay=1.0,
            max_grad_norm=0.5, beta1=0.9, beta2=0.999, epsilon=1e-8)


def micro_batches():
    rng = random.Random(20)
    batches = []
    for i in range(20):
        lengths = [rng.randrange(8, 40) for _ in range(1 + i % 3)]
        batches.append(paths_batch(rng, 256, lengths, lambda at, i=i: at % 7 >= i % 6))
    return batches


def run(batches, weight_decay=PLAN["weight_decay"], max_grad_norm=PLAN["max_grad_norm"], mean_of_means=False):
    model = build("mha", "double", "all")
    named = {k.replace(".default", ""): p for k, p in model.named_parameters() if "lora_" in k}
    optimizer = torch.optim.AdamW(named.values(), lr=PLAN["learning_rate"], betas=(PLAN["beta1"], PLAN["beta2"]),
                                  eps=PLAN["epsilon"], weight_decay=weight_decay)
    schedule = transformers.get_scheduler(PLAN["lr_scheduler"], optimizer, PLAN["warmup_steps"], PLAN["total_steps"])
    steps, at = [], 0
    for _ in range(PLAN["total_steps"]):
        chosen = batches[at:at + PLAN["accumulation"]]
        at = (at + len(chosen)) % len(batches)
        weights = [sum(t[2] for t in b["targets"]) for b in chosen]
        sums, gradients = [], {k: torch.zeros_like(p) for k, p in named.items()}
        for batch, weight in zip(chosen, weights):
            scale = 1 / (weight * len(chosen)) if mean_of_means else 1 / sum(weights)
            nll, _, g = evaluate(model, batch, scale=scale)
            sums.append(sum(n.item() * t[2] for n, t in zip(nll, batch["targets"])))
            for key in gradients:
                gradients[key] += g[key]
        for key, p in named.items():
            p.grad = gradients[key]
        norm = torch.nn.utils.clip_grad_norm_(named.values(), max_grad_norm or math.inf).item()
        loss = sum(s / w for s, w in zip(sums, weights)) / len(chosen) if mean_of_means else sum(sums) / sum(weights)
        steps.append([loss, norm, schedule.get_last_lr()[0]])
        optimizer.step()
        schedule.step()
    return steps, {k: p.detach().double().sum().item() for k, p in named.items()}


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    batches = micro_batches()
    steps, sums = run(batches)
    assert all(norm > 2 * PLAN["max_grad_norm"] for _, norm, _ in steps), steps
    golden = dict(model="mha", adapter="all", plan=PLAN, batches=batches, steps=steps, final_sums=sums, variants=dict(
        no_weight_decay=run(batches, weight_decay=0.0)[0], no_clipping=run(batches, max_grad_norm=0)[0],
        mean_of_means=run(batches, mean_of_means=True)[0]))
    with open(os.path.join(sys.argv[1], "train.json"), "w") as f:
        json.dump(golden, f)
    for name, s in [("golden", steps), *golden["variants"].items()]:
        print(name, *(f"{loss:.5f}/{norm:.4f}" for loss, norm, _ in s))
