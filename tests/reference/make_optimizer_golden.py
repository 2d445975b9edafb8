#!/usr/bin/env python3
"""Golden values of learning-rate schedules (transformers) and of AdamW and gradient clipping (torch).

Usage: make_optimizer_golden.py OUT_DIR   (writes schedules.json and adamw.safetensors)
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import get_scheduler

out = pathlib.Path(sys.argv[1])
torch.set_num_threads(1)

SETTINGS = [
    # name, learning rate, total steps, warm-up steps, min_lr
    ("constant", 2e-4, 10, 3, 0),
    ("constant_with_warmup", 2e-4, 10, 4, 0),
    ("constant_with_warmup", 1e-3, 5, 0, 0),
    ("linear", 2e-4, 23, 5, 0),
    ("linear", 3.3333e-5, 7, 0, 0),
    ("linear", 1e-4, 4, 9, 0),  # warm-up longer than the run
    ("linear", 1e-4, 6, 6, 0),
    ("cosine", 2e-4, 37, 4, 0),
    ("cosine", 5e-4, 11, 0, 0),
    ("cosine_with_min_lr", 2e-4, 29, 3, 2e-5),
    ("cosine_with_min_lr", 1e-3, 8, 0, 1e-3),
    ("cosine_with_min_lr", 1e-3, 9, 2, 0),
]
schedules = []
for name, lr, total, warmup, min_lr in SETTINGS:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    special = {"min_lr": min_lr} if name == "cosine_with_min_lr" else None
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=total,
                              scheduler_specific_kwargs=special)
    rates = []
    for _ in range(total):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    schedules.append({"name": name, "learning_rate": lr, "total_steps": total, "warmup_steps": warmup,
                      "min_lr": min_lr, "rates": rates})
(out / "schedules.json").write_text(json.dumps(schedules, indent=0) + "\n")

# 12 updates of 203 numbers with clipping and decay; the gradients shrink, so that clipping is active in some steps only.
torch.manual_seed(7)
n, steps = 203, 12
start = torch.randn(n)
gradients = torch.randn(steps, n) * torch.logspace(0, -3, steps)[:, None]
tensors = {"start": start, "gradients": gradients}
for name, betas, decay, max_norm in [("a", (0.9, 0.999), 0.0, 0.3), ("b", (0.9, 0.999), 1.0, 1.0),
                                     ("c", (0.4, 0.95), 0.1, 0.0)]:
    p = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.AdamW([p], lr=1e-2, betas=betas, eps=1e-8, weight_decay=decay, foreach=False, fused=False)
    parameters, norms = [], []
    for s in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 / (s + 1)
        p.grad = gradients[s].clone()
        norms.append(torch.nn.utils.clip_grad_norm_([p], max_norm if max_norm > 0 else float("inf")).item())
        optimizer.step()
        parameters.append(p.detach().clone())
    state = optimizer.state[p]
    tensors |= {f"{name}.parameters": torch.stack(parameters), f"{name}.norms": torch.tensor(norms),
                f"{name}.exp_avg": state["exp_avg"].clone(), f"{name}.exp_avg_sq": state["exp_avg_sq"].clone()}
save_file(tensors, out / "adamw.safetensors")
