#!/usr/bin/env python3
"""transformers + peft + bitsandbytes on one GPU: loading, training steps or prefill and decoding, one JSON object on
stdout.

    gpu_peer.py MODEL_DIR --what load
    gpu_peer.py MODEL_DIR --what train --batch 16 --length 512 [--checkpointing] [--r 64] [--steps 5]
    gpu_peer.py MODEL_DIR --what decode --prompt 512 --new_tokens 40 [--r 16]

The base is NF4 with double quantisation, computing in bfloat16, LoRA on all six linears without dropout, fused AdamW.
"""
import argparse
import json
import statistics
import time

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

p = argparse.ArgumentParser()
p.add_argument("model")
p.add_argument("--what", choices=["load", "train", "decode"], required=True)
p.add_argument("--batch", type=int, default=16)
p.add_argument("--length", type=int, default=512)
p.add_argument("--steps", type=int, default=5)
p.add_argument("--warmup", type=int, default=2)
p.add_argument("--r", type=int, default=64)
p.add_argument("--checkpointing", action="store_true")
p.add_argument("--prompt", type=int, default=512)
p.add_argument("--new_tokens", type=int, default=40)
a = p.parse_args()

torch.zeros(1, device="cuda")  # the context is not part of loading
begin = time.perf_counter()
model = AutoModelForCausalLM.from_pretrained(
    a.model, dtype=torch.bfloat16, device_map={"": 0},
    quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                           bnb_4bit_compute_dtype=torch.bfloat16))
torch.cuda.synchronize()
result = {"load_seconds": time.perf_counter() - begin}

from peft import LoraConfig, get_peft_model  # noqa: E402  (after the clock)

model = get_peft_model(model, LoraConfig(r=a.r, lora_alpha=a.r, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM",
                                         target_modules=["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]))
if a.what == "decode":
    model.eval()
    ids = torch.randint(0, 50000, (1, a.prompt), device="cuda")
    with torch.inference_mode():
        times = []
        for _ in range(4):
            torch.cuda.synchronize()
            begin = time.perf_counter()
            model(input_ids=ids, use_cache=True, logits_to_keep=1)
            torch.cuda.synchronize()
            times.append(time.perf_counter() - begin)
        result["prefill_ms"] = 1e3 * statistics.median(times[1:])
        for count in (4, a.new_tokens):
            torch.cuda.synchronize()
            begin = time.perf_counter()
            model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=count,
                           min_new_tokens=count, do_sample=False, pad_token_id=0)
            torch.cuda.synchronize()
            seconds = time.perf_counter() - begin
    result["tokens_per_s"] = a.new_tokens / seconds
elif a.what == "train":
    if a.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    model.train()
    optimizer = torch.optim.AdamW([x for x in model.parameters() if x.requires_grad], lr=2e-4, fused=True)
    torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(a.warmup + a.steps):
        ids = torch.randint(0, 50000, (a.batch, a.length), device="cuda")
        torch.cuda.synchronize()
        begin = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    result["tokens_per_s"] = a.batch * a.length / statistics.median(times[a.warmup:])
    result["peak_bytes"] = torch.cuda.max_memory_allocated()
print(json.dumps(result))
