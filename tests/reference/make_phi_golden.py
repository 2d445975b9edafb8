#!/usr/bin/env python3
"""Writes phi.json (models, adapters, batches) and phi.safetensors (what transformers + peft compute from them).

    OMP_NUM_THREADS=1 python3 make_phi_golden.py data

The models are made from a formula (see `number`), so no weights are stored; tests/support/tiny_phi.h has the same
formula. Linears are six times and embeddings twenty-five times larger than phi's initialisation: attention and logits
are peaked, so that mistakes show. Base weights are quantised by bitsandbytes and dequantised in float32.

A tree's reference are paths: each message with its ancestors is a sequence of its own, and only this message's targets
count, so that a tree's loss and gradients must equal those of its paths.

Variants are wrong on purpose (erf GELU, interleaved rotary embedding, plain instead of double quantisation): a
comparison that also passes with them would prove nothing.
Needs: torch 2.11, transformers 5.17, peft 0.21, bitsandbytes 0.50.2, safetensors.
"""
import json
import os
import random
import sys

import bitsandbytes.functional as bnb
import numpy as np
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import PhiConfig, PhiForCausalLM
from transformers.models.phi import modeling_phi

MASK = (1 << 64) - 1
MODELS = {
    "mha": dict(vocab_size=256, hidden_size=160, intermediate_size=256, num_hidden_layers=2, num_attention_heads=2,
                num_key_value_heads=2, max_position_embeddings=256, partial_rotary_factor=0.4),
    # head_dim 20, rows of 120 weights: blocks of 64 straddle them; three query heads share a key head.
    "gqa": dict(vocab_size=131, hidden_size=120, intermediate_size=200, num_hidden_layers=3, num_attention_heads=6,
                num_key_value_heads=2, max_position_embeddings=96, partial_rotary_factor=0.4),
}
ALL = ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]
ADAPTERS = {
    "all": dict(r=4, lora_alpha=8, target_modules=ALL, rank_pattern={"fc1": 3, "k_proj": 1}),
    "upper": dict(r=5, lora_alpha=3, target_modules=["q_proj", "v_proj", "fc2"], layers_to_transform=[1, 2], use_rslora=True),
    "output": dict(r=2, lora_alpha=2, target_modules=["dense"]),
}


def splitmix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def fnv(text):
    h = 0xCBF29CE484222325
    for c in text.encode():
        h = ((h ^ c) * 0x100000001B3) & MASK
    return h


def number(name, count):
    """Eleven random bits for each element, less 1024."""
    seed = fnv(name)
    return torch.tensor([(splitmix((seed + i) & MASK) >> 53) - 1024 for i in range(count)], dtype=torch.float32)


def value(name, shape):
    n = number(name, int(torch.Size(shape).numel())).reshape(shape)
    if "lora_" in name:
        return n * 2.0 ** -13
    if name.endswith("layernorm.weight"):
        return 1 + torch.floor((n + 1024) / 8).sub(128) * 2.0 ** -9
    if name.endswith(".bias"):
        return n * 2.0 ** -14
    return n * 2.0 ** (-10 if "embed_tokens" in name else -12)


def config(name):
    c = PhiConfig(**MODELS[name], hidden_act="gelu_new", resid_pdrop=0.0, embd_pdrop=0.0, attention_dropout=0.0,
                  layer_norm_eps=1e-5, tie_word_embeddings=False)
    c._attn_implementation = "sdpa"
    return c


def build(name, quantisation, adapter):
    model = PhiForCausalLM(config(name)).float().eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(value(key, parameter.shape))
            assert torch.equal(parameter, parameter.half().float()), key
        for key, module in model.named_modules():
            if quantisation != "none" and isinstance(module, torch.nn.Linear) and key != "lm_head":
                packed, state = bnb.quantize_4bit(module.weight.data, compress_statistics=quantisation == "double",
                                                  quant_type="nf4")
                module.weight.copy_(bnb.dequantize_4bit(packed, state))
    if adapter:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **ADAPTERS[adapter]))
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if "lora_" in key:
                    parameter.copy_(value(key.replace(".default", ""), parameter.shape))
                    parameter.requires_grad_(True)
    return model.eval()


def paths_batch(rng, vocab, lengths, supervise):
    """Separate conversations side by side."""
    batch = dict(tokens=[], positions=[], segments=[], targets=[], samples=[])
    for sample, length in enumerate(lengths):
        begin = len(batch["tokens"])
        batch["tokens"] += [rng.randrange(vocab) for _ in range(length)]
        batch["positions"] += range(length)
        batch["segments"].append(dict(begin=begin, end=begin + length, sample=sample, context=[]))
        batch["samples"].append(sample)
        for row in range(begin, begin + length - 1):
            if supervise(row - begin):
                batch["targets"].append([row, batch["tokens"][row + 1], 1.0])
    return batch


def tree_batch(rng, vocab, parents, lengths, weights, keep=None):
    """Messages of one tree; `keep` leaves messages without targets out of a divided tree. weights[i] 0: no targets."""
    batch = dict(tokens=[], positions=[], segments=[], targets=[], samples=[0], message=[])
    texts = [[rng.randrange(vocab) for _ in range(n)] for n in lengths]
    return assemble(batch, texts, parents, weights, keep if keep is not None else [True] * len(parents),
                    [True] * len(parents))


def assemble(batch, texts, parents, weights, present, supervised):
    rows, segments = {}, {}
    for i, text in enumerate(texts):
        if not present[i]:
            continue
        begin = len(batch["tokens"])
        context, at = [], parents[i]
        while at is not None:
            context.insert(0, [rows[at][0], rows[at][1]])
            at = parents[at]
        start = sum(b - a for a, b in context)
        batch["tokens"] += text
        batch["positions"] += range(start, start + len(text))
        rows[i] = (begin, begin + len(text))
        batch["segments"].append(dict(begin=begin, end=begin + len(text), sample=0, context=context))
        batch["message"].append(i)
        if weights[i] and supervised[i]:
            previous = [rows[parents[i]][1] - 1] if parents[i] is not None else []
            targets = previous + list(range(begin, begin + len(text) - 1))
            tokens = text if previous else text[1:]
            batch["targets"] += [[row, token, weights[i]] for row, token in zip(targets, tokens)]
    batch["targets"].sort(key=lambda t: t[0])   # stable: several on one row keep their order
    return batch


def sequences(batch):
    """Every segment with its context as one sequence of rows."""
    for segment in batch["segments"]:
        yield segment, [r for a, b in segment["context"] for r in range(a, b)] + list(range(segment["begin"], segment["end"]))


def evaluate(model, batch, gradients=True, scale=1.0):
    """nll of each target, logits of the distinct target rows, gradients of scale · sum of w·nll."""
    nll = [None] * len(batch["targets"])
    logits_of = {}
    parameters = {k.replace(".default", ""): p for k, p in model.named_parameters() if "lora_" in k}
    for p in parameters.values():
        p.grad = None
    owner = {}
    for segment, rows in sequences(batch):
        for row in range(segment["begin"], segment["end"]):
            owner[row] = segment["begin"]
    for segment, rows in sequences(batch):
        ids = torch.tensor([[batch["tokens"][r] for r in rows]])
        # Targets that this sequence answers for: the next token of it is theirs and lies in this segment; a target on the
        # segment's last row without a message below it cannot occur.
        mine = []
        for place in range(len(rows)):
            for i, (row, token, weight) in enumerate(batch["targets"]):
                if row != rows[place] or nll[i] is not None or place + 1 >= len(rows):
                    continue
                following = rows[place + 1]
                if owner[following] == segment["begin"] and batch["tokens"][following] == token:
                    mine.append((i, place, token, weight))
        if not mine:
            continue
        Mask.rows = rows
        logits = model(input_ids=ids).logits[0].float()
        log_p = torch.log_softmax(logits, -1)
        total = 0
        for i, place, token, weight in mine:
            if nll[i] is not None:
                continue
            value_ = -log_p[place, token]
            nll[i] = value_.item()
            logits_of[rows[place]] = logits[place].detach().clone()
            total = total + weight * value_
        if gradients and parameters:
            (scale * total).backward()
    assert all(v is not None for v in nll)
    kept = torch.stack([logits_of[row] for row in sorted(logits_of)])
    return torch.tensor(nll), kept, {k: p.grad.clone() for k, p in parameters.items()} if gradients and parameters else {}


def philox(counter, key):
    """Philox4x32-10 on arrays of uint32 held in uint64."""
    low = np.uint64(0xFFFFFFFF)
    c, k = list(counter), [np.uint64(key[0]), np.uint64(key[1])]
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(b >> np.uint64(32)) ^ c[1] ^ k[0], b & low, (a >> np.uint64(32)) ^ c[3] ^ k[1], a & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return c


class Mask(torch.nn.Module):
    """Dropout whose mask depends on (seed, step, micro-batch, layer, module, row, column) only."""

    rows = None   # of the batch, for the sequence that is computed

    def __init__(self, p, seed, step, micro_batch, layer, modules):
        super().__init__()
        self.threshold = round(p * 65536)
        self.key = (seed & 0xFFFFFFFF, (seed >> 32) ^ (step >> 32))
        self.step, self.micro_batch, self.layer, self.modules_, self.calls = step, micro_batch, layer, modules, 0

    def forward(self, x):
        module = self.modules_[self.calls % len(self.modules_)]
        self.calls += 1
        cols = x.shape[-1]
        blocks = -(-cols // 8)
        block = (np.array(Mask.rows, dtype=np.uint64)[:, None] * np.uint64(blocks) + np.arange(blocks, dtype=np.uint64)).flatten()
        one = np.ones_like(block)
        words = philox((block & np.uint64(0xFFFFFFFF), one * np.uint64(self.layer << 8 | module << 24) ^ (block >> np.uint64(32)),
                        one * np.uint64(self.micro_batch), one * np.uint64(self.step & 0xFFFFFFFF)), self.key)
        halves = np.stack([h for w in words for h in (w & np.uint64(0xFFFF), w >> np.uint64(16))], -1)
        kept = torch.from_numpy((halves.reshape(len(Mask.rows), blocks * 8)[:, :cols] >= self.threshold).astype(np.float32))
        return x * kept * (65536 / (65536 - self.threshold))


def with_dropout(model, lora, resid, seed, step, micro_batch):
    number_of = dict(q_proj=0, k_proj=1, v_proj=2, fc1=3, dense=4, fc2=5)
    for key, module in model.named_modules():
        if hasattr(module, "lora_dropout"):
            parts = key.split(".")
            layer = int(parts[parts.index("layers") + 1])
            module.lora_dropout["default"] = Mask(lora, seed, step, micro_batch, layer, [number_of[parts[-1]]])
        if isinstance(module, modeling_phi.PhiDecoderLayer):
            module.resid_dropout = Mask(resid, seed, step, micro_batch, int(key.split(".")[-1]), [6, 7])
    return model


def interleaved(x):
    return torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)


def main(folder):
    rng = random.Random(7)
    spec = dict(models=MODELS, adapters={}, cases={})
    out = {}

    def store(case, nll, logits, gradients):
        out[f"{case}.nll"], out[f"{case}.logits"] = nll, logits
        for key, g in gradients.items():
            out[f"{case}.gradient.{key}"] = g

    def add(case, name, quantisation, adapter, batch, **more):
        model = build(name, quantisation, adapter)
        spec["cases"][case] = dict(model=name, quantisation=quantisation, adapter=adapter, batch=batch, **more)
        store(case, *evaluate(model, batch))
        return model

    paths = paths_batch(rng, 256, [37, 150, 20, 6, 8, 6, 9], lambda at: at % 11 > 3)
    model = add("paths", "mha", "double", "all", paths)
    with torch.no_grad(), model.disable_adapter():
        out["paths.base_nll"] = evaluate(model, paths, gradients=False)[0]
    for module in model.modules():
        if isinstance(getattr(module, "scaling", None), dict):
            module.scaling = {k: v / 2 for k, v in module.scaling.items()}
    with torch.no_grad():
        out["paths.half_nll"] = evaluate(model, paths, gradients=False)[0]

    dropped = paths_batch(random.Random(5), 256, [33, 12, 40], lambda at: at % 3 == 0)
    dropout = dict(lora=0.25, resid=0.125, seed=0x123456789ABCDEF, step=5, micro_batch=3)
    spec["dropout"] = dict(model="mha", quantisation="double", adapter="all", batch=dropped, **dropout)
    store("dropout", *evaluate(with_dropout(build("mha", "double", "all"), **dropout), dropped))

    # Variants of the first case.
    for variant in ("erf", "interleaved", "plain"):
        wrong = build("mha", "plain" if variant == "plain" else "double", "all")
        if variant == "erf":
            for module in wrong.modules():
                if isinstance(module, modeling_phi.PhiMLP):
                    module.activation_fn = torch.nn.GELU()
        rotate = modeling_phi.rotate_half
        if variant == "interleaved":
            modeling_phi.rotate_half = interleaved
        store(f"paths.{variant}", *evaluate(wrong, paths))
        modeling_phi.rotate_half = rotate

    # A tree with forks at depths 0, 1 and 3; messages 1 and 4 are prompts of the tree without targets of their own.
    parents = [None, 0, 0, 1, 1, 3, 5, 5, 2, 2, 7, 8]
    lengths = [9, 14, 5, 11, 1, 17, 8, 23, 6, 13, 4, 10]
    weights = [1, 0, 0.5, 1, 0, 1, 2, 1, 1, 0.25, 1, 1]
    seeds = rng.random()
    texts_rng = random.Random(seeds)
    tree = tree_batch(texts_rng, 256, parents, lengths, weights)
    add("tree", "mha", "double", "all", tree)

    # The same tree in two batches: each repeats the ancestors it needs as rows without targets.
    def part(members, supervised):
        texts_rng = random.Random(seeds)
        texts = [[texts_rng.randrange(256) for _ in range(n)] for n in lengths]
        batch = dict(tokens=[], positions=[], segments=[], targets=[], samples=[0], message=[])
        return assemble(batch, texts, parents, weights, [i in members for i in range(12)], [i in supervised for i in range(12)])

    first = part({0, 1, 3, 4, 5, 6}, {0, 1, 3, 4, 5, 6})
    second = part({0, 1, 2, 3, 5, 7, 8, 9, 10, 11}, {2, 7, 8, 9, 10, 11})
    assert len(first["targets"]) + len(second["targets"]) == len(tree["targets"])
    spec["divided"] = [first, second]

    small_tree = tree_batch(random.Random(3), 131, [None, 0, 0, 2, 2], [7, 12, 20, 9, 30], [0, 1, 0, 1, 1])
    small_paths = paths_batch(random.Random(4), 131, [1, 61, 30, 2], lambda at: True)
    add("gqa_tree", "gqa", "plain", "upper", small_tree)
    add("gqa_paths", "gqa", "double", "upper", small_paths)
    add("gqa_unquantised", "gqa", "none", "output", small_paths)

    for adapter, options in ADAPTERS.items():
        name = "gqa" if adapter != "all" else "mha"
        peft = build(name, "none", adapter)
        modules = [dict(name=key.removeprefix("base_model.model."), r=module.r["default"], scaling=module.scaling["default"])
                   for key, module in peft.named_modules() if hasattr(module, "lora_A")]
        spec["adapters"][adapter] = dict(model=name, modules=modules, config=options)
    with open(os.path.join(folder, "phi.json"), "w") as f:
        json.dump(spec, f)
    save_file({k: v.contiguous() for k, v in out.items()}, os.path.join(folder, "phi.safetensors"))
    os.chmod(os.path.join(folder, "phi.safetensors"), 0o644)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    main(sys.argv[1])
