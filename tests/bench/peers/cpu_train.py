#!/usr/bin/env python3
"""Forward and backward of LoRA training with transformers + peft on the CPU, printed as one JSON object.

    python3 cpu_train.py --model_path DIR [--batch 4] [--length 512] [--r 16] [--threads 2] [--repeats 10]
                         [--lora_dropout 0] [--targets 1.0] [--attention sdpa]

float32 base, LoRA on all six linears, `batch` conversations of `length` random tokens each, unpacked; the loss on the
last `targets` share of every conversation. Time is that of forward, loss and backward, the optimizer is not part of it.
Needs: torch, transformers, peft.
"""
import argparse
import json
import statistics
import time

import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model_path", required=True)
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--length", type=int, default=512)
    p.add_argument("--r", type=int, default=16)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--repeats", type=int, default=10)
    p.add_argument("--lora_dropout", type=float, default=0.0)
    p.add_argument("--targets", type=float, default=1.0)
    p.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"])
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(a.model_path, dtype=torch.float32, attn_implementation=a.attention)
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=a.r, lora_alpha=2 * a.r, lora_dropout=a.lora_dropout,
                                             target_modules=["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]))
    model.train()
    ids = torch.randint(0, model.config.vocab_size, (a.batch, a.length))
    labels = ids.clone()
    labels[:, : a.length - int(a.targets * a.length)] = -100
    labels[:, 0] = -100
    seconds = []
    for _ in range(a.repeats + 1):
        model.zero_grad(set_to_none=False)
        begin = time.perf_counter()
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        seconds.append(time.perf_counter() - begin)
    seconds = seconds[1:]   # the first warms up
    rows, supervised = a.batch * a.length, int((labels != -100).sum())
    best = min(seconds)
    print(json.dumps(dict(stack=f"transformers {transformers.__version__} + peft, torch {torch.__version__}", rows=rows,
                          supervised_tokens=supervised, threads=a.threads, attention=a.attention, loss=loss.item(),
                          seconds_best=best, seconds_median=statistics.median(seconds), tokens_per_s=rows / best,
                          supervised_tokens_per_s=supervised / best)))


if __name__ == "__main__":
    main()
