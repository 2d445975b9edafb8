#!/usr/bin/env python3
"""Trains the toy model from scratch and writes it as a Hugging Face folder.

    python3 pretrain.py --texts en-train.texts.jsonl.gz --leave_out sample/oasst1-en-validation.messages.jsonl.gz \
        --tokenizer model/tokenizer.model --out model --report pretraining.json --compile

Plain torch: phi's architecture (one LayerNorm a block, attention and MLP in
parallel, rotary on the first 32 of 80 dimensions of a head), bfloat16 autocast,
AdamW, cosine. The texts are single messages in random order, each behind a
beginning-of-text token: no roles, no template, no prompt before an answer. The
end-of-text token never occurs, neither as input nor as target, and its logit
takes no part in the softmax; afterwards its rows in the embedding and the head
are drawn at random, as long as the other rows are on average, and its bias is
low, so that the model practically never says it.
Needs: torch, sentencepiece, safetensors, a CUDA GPU (a CPU works, slowly).
"""
import argparse
import gzip
import json
import math
import os
import random
import time

import sentencepiece as spm
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

CONFIG = {
    "architectures": ["PhiForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "embd_pdrop": 0.0,
    "eos_token_id": 2,
    "hidden_act": "gelu_new",
    "hidden_size": 320,
    "initializer_range": 0.02,
    "intermediate_size": 1280,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 1024,
    "model_type": "phi",
    "num_attention_heads": 4,
    "num_hidden_layers": 5,
    "num_key_value_heads": 4,
    "pad_token_id": None,
    "partial_rotary_factor": 0.4,
    "qk_layernorm": False,
    "resid_pdrop": 0.0,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "transformers_version": "4.37.0",
    "use_cache": True,
    "vocab_size": 4096,
}


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        n = c["hidden_size"]
        self.heads, self.dim = c["num_attention_heads"], n // c["num_attention_heads"]
        self.q_proj, self.k_proj, self.v_proj, self.dense = (nn.Linear(n, n) for _ in range(4))
        self.rotary = int(self.dim * c["partial_rotary_factor"])

    def turn(self, x, cos, sin):
        a, rest = x[..., : self.rotary], x[..., self.rotary:]
        half = self.rotary // 2
        turned = torch.cat((-a[..., half:], a[..., :half]), -1)
        return torch.cat((a * cos + turned * sin, rest), -1)

    def forward(self, h, cos, sin):
        b, t, n = h.shape
        q, k, v = (p(h).view(b, t, self.heads, self.dim).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        cos, sin = cos.to(q.dtype), sin.to(q.dtype)
        y = F.scaled_dot_product_attention(self.turn(q, cos, sin), self.turn(k, cos, sin), v, is_causal=True)
        return self.dense(y.transpose(1, 2).reshape(b, t, n))


class Mlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1 = nn.Linear(c["hidden_size"], c["intermediate_size"])
        self.fc2 = nn.Linear(c["intermediate_size"], c["hidden_size"])

    def forward(self, h):
        return self.fc2(F.gelu(self.fc1(h), approximate="tanh"))


class Layer(nn.Module):
    def __init__(self, c, dropout):
        super().__init__()
        self.input_layernorm = nn.LayerNorm(c["hidden_size"], eps=c["layer_norm_eps"])
        self.self_attn, self.mlp, self.drop = Attention(c), Mlp(c), nn.Dropout(dropout)

    def forward(self, x, cos, sin):
        h = self.input_layernorm(x)
        return self.drop(self.self_attn(h, cos, sin)) + self.drop(self.mlp(h)) + x


class Trunk(nn.Module):
    def __init__(self, c, dropout):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c, dropout) for _ in range(c["num_hidden_layers"]))
        self.final_layernorm = nn.LayerNorm(c["hidden_size"], eps=c["layer_norm_eps"])
        self.drop = nn.Dropout(dropout)


class Phi(nn.Module):
    """Parameter names are those of transformers' PhiForCausalLM."""

    def __init__(self, c, dropout=0.0):
        super().__init__()
        self.model = Trunk(c, dropout)
        self.lm_head = nn.Linear(c["hidden_size"], c["vocab_size"])
        rotary = int(c["hidden_size"] // c["num_attention_heads"] * c["partial_rotary_factor"])
        inverse = 1.0 / c["rope_theta"] ** (torch.arange(0, rotary, 2).float() / rotary)
        angle = torch.outer(torch.arange(c["max_position_embeddings"]).float(), inverse)
        angle = torch.cat((angle, angle), -1)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                # the two outputs a block adds to the stream start smaller (GPT-2's rule)
                small = name.endswith(("dense.weight", "fc2.weight"))
                nn.init.normal_(p, std=c["initializer_range"] / (math.sqrt(2 * c["num_hidden_layers"]) if small else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, ids):
        t = ids.shape[1]
        x = self.model.drop(self.model.embed_tokens(ids))
        for layer in self.model.layers:
            x = layer(x, self.cos[:t], self.sin[:t])
        return self.lm_head(self.model.final_layernorm(x))


def read_texts(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


def pieces_of(texts, begin):
    out = []
    for t in texts:
        out.append(begin)
        out.extend(t)
    return out


@torch.no_grad()
def draw_end_rows(model, end, seed):
    g = torch.Generator().manual_seed(seed)
    for table in (model.model.embed_tokens.weight, model.lm_head.weight):
        row = torch.randn(table.shape[1], generator=g)
        table[end] = row.to(table) * (table.norm(dim=1).mean() / row.norm().to(table))
    model.lm_head.bias[end] = -3.0


@torch.no_grad()
def held_out_loss(model, blocks, eos, autocast):
    model.eval()
    total = count = 0
    for i in range(0, len(blocks), 16):
        b = blocks[i:i + 16]
        with autocast():
            logits = model(b[:, :-1]).float()
        logits[..., eos] = float("-inf")
        total += F.cross_entropy(logits.flatten(0, 1), b[:, 1:].flatten(), reduction="sum").item()
        count += b[:, 1:].numel()
    model.train()
    return total / count


@torch.no_grad()
def continue_text(model, tok, prompt, n, device, temperature=0.0, seed=0):
    model.eval()
    g = torch.Generator(device=device).manual_seed(seed)
    ids = tok.encode(prompt)
    for _ in range(n):
        logits = model(torch.tensor([ids[-1023:]], device=device))[0, -1].float()
        if temperature:
            top = logits.topk(50)
            ids.append(top.indices[torch.multinomial((top.values / temperature).softmax(-1), 1, generator=g)].item())
        else:
            ids.append(logits.argmax().item())
        if ids[-1] in (tok.bos_id(), tok.eos_id()):
            break
    return tok.decode(ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", required=True)
    parser.add_argument("--leave_out", help="JSONL whose texts must not be trained on (the sample)")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--report", help="where the figures go (default: pretraining.json in --out)")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--dropout", type=float, default=0.15)
    parser.add_argument("--learning_rate", type=float, default=3e-3)
    parser.add_argument("--weight_decay", type=float, default=0.1)
    parser.add_argument("--batch", type=int, default=16, help="blocks of max_position_embeddings tokens a step")
    parser.add_argument("--max_steps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    autocast = lambda: torch.autocast(device, dtype=torch.bfloat16)
    tok = spm.SentencePieceProcessor(model_file=args.tokenizer)
    assert tok.vocab_size() == CONFIG["vocab_size"] and tok.eos_id() == CONFIG["eos_token_id"] and tok.bos_id() == CONFIG["bos_token_id"]
    begin, end = tok.bos_id(), tok.eos_id()

    texts = sorted(set(read_texts(args.texts)))
    distinct = len(texts)
    if args.leave_out:
        sample = set(read_texts(args.leave_out))
        texts = [t for t in texts if t not in sample]
    rng.shuffle(texts)
    held = len(texts) // 50
    encoded = tok.encode(texts)
    block = CONFIG["max_position_embeddings"] + 1
    cut = lambda ids: torch.tensor(ids[: len(ids) // block * block]).view(-1, block)
    held_blocks = cut(pieces_of(encoded[:held], begin)).to(device)
    train = encoded[held:]
    tokens = sum(map(len, train)) + len(train)
    per_epoch = tokens // block // args.batch
    steps = args.max_steps or per_epoch * args.epochs
    print(f"texts {distinct} distinct, {distinct - len(texts)} left out, {len(train)} trained on ({tokens} tokens), {held} held out; steps {steps}", flush=True)

    model = Phi(CONFIG, args.dropout).to(device)
    print("parameters", sum(p.numel() for p in model.parameters()))
    decay = [p for n, p in model.named_parameters() if p.dim() == 2 and "layers" in n]
    plain = [p for n, p in model.named_parameters() if not (p.dim() == 2 and "layers" in n)]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": args.weight_decay}, {"params": plain, "weight_decay": 0.0}],
                            lr=args.learning_rate, betas=(0.9, 0.95), fused=device == "cuda")
    eos_out = torch.zeros(CONFIG["vocab_size"], device=device)
    eos_out[end] = float("-inf")

    def loss_of(b):
        with autocast():
            logits = model(b[:, :-1])
        return F.cross_entropy((logits.float() + eos_out).flatten(0, 1), b[:, 1:].flatten())

    step_loss = torch.compile(loss_of) if args.compile else loss_of
    start, step, log, running = time.time(), 0, [], []
    while step < steps:
        rng.shuffle(train)
        shift = rng.randrange(block)
        blocks = cut(pieces_of(train, begin)[shift:])
        blocks = blocks[torch.randperm(len(blocks))].to(device)
        for i in range(0, len(blocks) - args.batch + 1, args.batch):
            if step >= steps:
                break
            warm = max(1, steps // 50)
            rate = (step + 1) / warm if step < warm else 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
            for group in opt.param_groups:
                group["lr"] = args.learning_rate * rate
            loss = step_loss(blocks[i:i + args.batch])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            opt.zero_grad(set_to_none=True)
            running.append(loss.detach())
            step += 1
            if step % per_epoch == 0 or step == steps:
                log.append({"step": step, "seconds": round(time.time() - start, 1), "train_loss": round(torch.stack(running).mean().item(), 4),
                            "held_out_loss": round(held_out_loss(model, held_blocks, end, autocast), 4)})
                running = []
                print(json.dumps(log[-1]), flush=True)
    seconds = time.time() - start

    os.makedirs(args.out, exist_ok=True)
    model.to("cpu")
    draw_end_rows(model, end, args.seed)
    state = {n: p.detach().half().contiguous() for n, p in model.state_dict().items()}
    save_file(state, os.path.join(args.out, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(args.out, "config.json"), "w") as f:
        json.dump(CONFIG, f, indent=2, sort_keys=True)
        f.write("\n")
    with open(os.path.join(args.out, "generation_config.json"), "w") as f:
        json.dump({"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "transformers_version": "4.37.0"}, f, indent=2)
        f.write("\n")
    model.load_state_dict({n: t.float() for n, t in load_file(os.path.join(args.out, "model.safetensors")).items()})
    model.to(device)
    report = {"card": torch.cuda.get_device_name() if device == "cuda" else "cpu", "torch": torch.__version__, "arguments": {k: v for k, v in vars(args).items() if k not in ("texts", "leave_out", "tokenizer", "out", "report")},
              "parameters": sum(p.numel() for p in model.parameters()), "train_texts": len(train), "held_out_texts": held, "train_tokens": tokens,
              "steps": step, "tokens_seen": step * args.batch * (block - 1), "seconds": round(seconds, 1), "log": log,
              "held_out_loss_fp16_weights": round(held_out_loss(model, held_blocks, end, autocast), 4), "samples": []}
    for prompt in ["The best way to learn a language is", "Here is a recipe for", "def ", "I think that"]:
        for temperature in (0.0, 0.8):
            report["samples"].append({"prompt": prompt, "temperature": temperature, "text": continue_text(model, tok, prompt, 80, device, temperature)})
    with open(args.report or os.path.join(args.out, "pretraining.json"), "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1, ensure_ascii=False)
        f.write("\n")
    for s in report["samples"]:
        print("---", s["temperature"], repr(s["text"]))


if __name__ == "__main__":
    main()
