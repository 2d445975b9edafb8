#!/usr/bin/env python3
"""Measures the demonstration with other people's programs: transformers and PEFT.

    python3 check_demo.py --model model --sample sample/oasst1-en-validation.messages.jsonl.gz

Fine-tunes the toy model on the sample's best paths (openassistant template,
assistant text and its end-of-text token supervised), then compares base and
adapted model on held-out trees: nats a token with and without the end-of-text
tokens, 95 % intervals paired by tree, and how often an answer ends by itself.
The base is NF4 with double quantisation where bitsandbytes is installed.
Needs: torch, transformers, peft; optional bitsandbytes.
"""
import argparse
import gzip
import json
import math
import random
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, get_scheduler


def best_paths(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        rows = [json.loads(line) for line in lines]
    children = {}
    for row in rows:
        if not row["deleted"]:
            children.setdefault(row["parent_id"], []).append(row)

    def follow(prompter):
        answers = [r for r in children.get(prompter["message_id"], []) if r["role"] == "assistant"]
        if not answers:
            return None
        answer = min(answers, key=lambda r: (r["rank"] is None, r["rank"] or 0))
        for row in children.get(answer["message_id"], []):
            rest = follow(row) if row["role"] == "prompter" else None
            if rest:
                return [prompter, answer] + rest
        return [prompter, answer]

    return [p for p in map(follow, children[None]) if p]


def encode(tok, path, length):
    text = lambda t: tok.encode(t, add_special_tokens=False, split_special_tokens=True)
    ids, kinds, prompt = [], [], None          # kind: 0 no target, 1 text, 2 end of text
    for message in path:
        marker, body = text(f"<|{message['role']}|>"), text(message["text"])
        if message["role"] == "assistant" and prompt is None:
            prompt = ids + marker
        ids += marker + body + [tok.eos_token_id]
        target = message["role"] == "assistant"
        kinds += [0] * len(marker) + [int(target)] * len(body) + [2 * target]
    return ids[:length], kinds[:length], prompt


def losses(model, batch):
    longest = max(len(e[0]) for e in batch)
    ids = torch.tensor([e[0] + [0] * (longest - len(e[0])) for e in batch])
    kinds = torch.tensor([e[1] + [0] * (longest - len(e[1])) for e in batch])[:, 1:]
    logits = model(input_ids=ids).logits[:, :-1].float()      # padded on the right: causal attention never sees it
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none"), kinds


@torch.no_grad()
def evaluate(model, examples):
    model.eval()
    out = []
    for e in examples:
        nll, kinds = losses(model, [e])
        out.append([nll[kinds == 1].sum().item(), (kinds == 1).sum().item(), nll[kinds == 2].sum().item(), (kinds == 2).sum().item()])
    return out


def difference(base, adapted, with_end):
    d = [b[0] - a[0] + with_end * (b[2] - a[2]) for a, b in zip(base, adapted)]
    n = [a[1] + with_end * a[3] for a in base]
    mean, trees = sum(d) / sum(n), len(d)
    error = math.sqrt(trees / (trees - 1) * sum((x - mean * k) ** 2 for x, k in zip(d, n))) / sum(n)
    return {"mean": round(mean, 4), "low": round(mean - 1.96 * error, 4), "high": round(mean + 1.96 * error, 4),
            "perplexity_lower_by": round(1 - math.exp(mean), 4)}


@torch.no_grad()
def endings(model, tok, examples, new, sample):
    model.eval()
    torch.manual_seed(0)
    ended, shown = 0, []
    for e in examples:
        ids = torch.tensor([e[2][:1023 - new]])
        kind = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 0} if sample else {"do_sample": False}
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, pad_token_id=0, eos_token_id=tok.eos_token_id, **kind)[0, ids.shape[1]:].tolist()
        ended += tok.eos_token_id in out
        shown.append((tok.decode(e[2]), tok.decode(out)))
    return ended / len(examples), shown


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--sample", required=True)
    for name, kind, value in (("epochs", int, 2), ("batch", int, 2), ("length", int, 512), ("r", int, 16), ("alpha", int, 32), ("dropout", float, 0.0),
                              ("learning_rate", float, 1e-3), ("warmup_ratio", float, 0.05), ("held_out", float, 0.25), ("seed", int, 0),
                              ("threads", int, 2), ("answers", int, 0), ("new_tokens", int, 256), ("show", int, 0)):
        parser.add_argument("--" + name, type=kind, default=value)
    parser.add_argument("--full", action="store_true", help="no quantisation")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    tok = AutoTokenizer.from_pretrained(args.model)
    more = {}
    if not args.full:
        try:
            import bitsandbytes  # noqa: F401
            from transformers import BitsAndBytesConfig
            more = {"quantization_config": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                                              bnb_4bit_compute_dtype=torch.float32), "device_map": {"": "cpu"}}
        except ImportError:
            pass
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32, **more)
    paths = best_paths(args.sample)
    rng = random.Random(args.seed)
    rng.shuffle(paths)
    held = round(len(paths) * args.held_out)
    examples = [encode(tok, p, args.length) for p in paths]
    test, train = ([e for e in part if any(e[1][1:])] for part in (examples[:held], examples[held:]))
    report = {"quantised": bool(more), "trees": {"trained": len(train), "held_out": len(test)}}

    mark = time.time()
    base = evaluate(model, test)
    report["seconds_evaluating"] = round(time.time() - mark, 1)
    base_endings = {}
    if args.answers:
        base_endings = {s: endings(model, tok, test[:args.answers], args.new_tokens, s) for s in (False, True)}
    model = get_peft_model(model, LoraConfig(r=args.r, lora_alpha=args.alpha, lora_dropout=args.dropout, bias="none", task_type="CAUSAL_LM",
                                             target_modules=["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]))
    weights = [p for p in model.parameters() if p.requires_grad]
    steps = math.ceil(len(train) / args.batch) * args.epochs
    opt = torch.optim.AdamW(weights, lr=args.learning_rate, weight_decay=0.0)
    schedule = get_scheduler("cosine", opt, math.ceil(steps * args.warmup_ratio), steps)
    mark, tokens = time.time(), 0
    for _ in range(args.epochs):
        rng.shuffle(train)
        model.train()
        for i in range(0, len(train), args.batch):
            nll, kinds = losses(model, train[i:i + args.batch])
            (nll[kinds > 0].mean()).backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            opt.step()
            schedule.step()
            opt.zero_grad()
            tokens += sum(len(e[0]) for e in train[i:i + args.batch])
    report.update(steps=steps, tokens=tokens, seconds_training=round(time.time() - mark, 1), trained_parameters=sum(p.numel() for p in weights))
    adapted = evaluate(model, test)
    for name, rows in (("base", base), ("adapted", adapted)):
        a, b, c, d = map(sum, zip(*rows))
        report[name] = {"loss": round((a + c) / (b + d), 4), "without_end": round(a / b, 4), "end_only": round(c / d, 4), "tokens": b + d, "ends": d}
    report["difference"] = difference(base, adapted, True)
    report["difference_without_end"] = difference(base, adapted, False)
    if args.answers:
        now = {s: endings(model, tok, test[:args.answers], args.new_tokens, s) for s in (False, True)}
        report["ends_by_itself"] = {"answers": min(args.answers, len(test)), "new_tokens": args.new_tokens,
                                    "greedy": {"base": base_endings[False][0], "adapted": now[False][0]},
                                    "temperature_0.7_top_p_0.9": {"base": base_endings[True][0], "adapted": now[True][0]}}
        report["shown"] = [{"prompt": p, "base": b, "adapted": a} for s in (False, True) for (p, b), (_, a) in list(zip(base_endings[s][1], now[s][1]))[:args.show]]
    print(json.dumps(report, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
