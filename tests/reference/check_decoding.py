#!/usr/bin/env python3
"""The built-in model decodes 50 prompts x 200 tokens through the cache; float32 follows along, teacher-forced.

    check_decoding.py PROGRAM PROBE [--device cpu|cuda] [--prompts 50] [--new_tokens 200] [--share 0.95]

`probe answers` decodes greedily, never stops at an EOS, and gives out the logits that every token was chosen from. On a
GPU this model goes layer by layer; a model whose rows are whole 256 weights would go through the token's graph. The
reference (transformers, float32, linears = bitsandbytes' dequantised NF4) sees prompt and answer at once. Printed: the
largest error of a logit; the share of positions at which the reference's first and second choice are further apart than
four times that, where the argmax must be the same; the same with the largest error of each position's own logits; and
all of it for transformers in bfloat16 and in float16 on the same tokens, which says how much of it is the type's. Exit
1 when an argmax differs where it must not, or the share is smaller than asked.
"""
import argparse
import json
import pathlib
import sys
import tempfile

import torch
from safetensors.torch import load_file

import phi_reference as phi
import recipes

p = argparse.ArgumentParser()
p.add_argument("program")
p.add_argument("probe")
p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
p.add_argument("--model_path", type=pathlib.Path, default=recipes.BUILT_IN)
p.add_argument("--prompts", type=int, default=50)
p.add_argument("--new_tokens", type=int, default=200)
p.add_argument("--longest", type=int, default=256, help="tokens of a prompt")
p.add_argument("--share", type=float, default=0.95)
a = p.parse_args()


def prompts(work):
    """The first message of each conversation of the sample."""
    recipes.run(a.program, "prepare", "--data", recipes.SAMPLE, "--out", work / "data", "--tokenizer", a.model_path,
            "--validation_fraction", "0")
    data = load_file(work / "data/tokens.safetensors")
    spans, sizes, tokens = (data[n].tolist() for n in ("example_spans", "span_tokens", "tokens"))
    found, span, token = [], 0, 0
    for count in spans:
        found.append(tokens[token:token + min(sizes[span], a.longest)])
        token += sum(sizes[span:span + count])
        span += count
    assert len(found) >= a.prompts, f"the sample has {len(found)} conversations"
    return found[:a.prompts]


def logits_of(model, prompt, answer):
    ids = torch.tensor([prompt + answer[:-1]], device=a.device)
    return model(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1:].float().cpu()


class Side:
    def __init__(self, name):
        self.name, self.largest, self.of_position, self.same = name, 0.0, [], []

    def add(self, logits, wanted):
        error = (logits - wanted).abs().amax(-1)
        self.largest = max(self.largest, error.max().item())
        self.of_position.append(error)
        self.same.append(logits.argmax(-1) == wanted.argmax(-1))

    def report(self, gap):
        same, own = torch.cat(self.same), torch.cat(self.of_position)
        certain, certain_own = gap > 4 * self.largest, gap > 4 * own
        result = {"largest_logit_error": self.largest, "median_of_positions": own.median().item(),
                  "share": certain.float().mean().item(), "share_by_position": certain_own.float().mean().item(),
                  "differ": int((~same & certain).sum()), "differ_by_position": int((~same & certain_own).sum()),
                  "same_argmax": same.float().mean().item()}
        print(f"{self.name:<22} largest logit error {result['largest_logit_error']:.4f} (median of the positions' "
              f"{result['median_of_positions']:.4f}); gap above 4x: {100 * result['share']:.2f} % of positions, "
              f"{result['differ']} differ; above 4x the position's own: {100 * result['share_by_position']:.2f} %, "
              f"{result['differ_by_position']} differ; same argmax {100 * result['same_argmax']:.2f} %", flush=True)
        return result


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    asked = prompts(work)
    (work / "prompts.json").write_text(json.dumps(asked))
    recipes.run(a.probe, "answers", a.model_path, work / "prompts.json", work / "answers.safetensors", "--device", a.device,
            "--new_tokens", a.new_tokens)
    given = load_file(work / "answers.safetensors")

ours, gaps, greedy = Side("ours"), [], True
reference = phi.reference(a.model_path, a.device).eval()
others = [(Side(f"transformers {name}"), phi.reference(a.model_path, a.device).to(dtype).eval())
          for name, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16))]
with torch.inference_mode():
    for prompt, answer, logits in zip(asked, given["tokens"].tolist(), given["logits"]):
        wanted = logits_of(reference, prompt, answer)
        best = wanted.topk(2).values
        gaps.append(best[:, 0] - best[:, 1])
        greedy &= logits.argmax(-1).tolist() == answer
        ours.add(logits, wanted)
        for side, model in others:
            side.add(logits_of(model, prompt, answer), wanted)
gap = torch.cat(gaps)
print(f"{len(asked)} prompts of {min(map(len, asked))} to {max(map(len, asked))} tokens, {len(gap)} positions, "
      f"{given['logits'].numel():,} logits")
for share in (0.9, 0.95, 0.99):
    print(f"{100 * share:.0f} % of the gaps are above {gap.quantile(1 - share).item():.4f}")
result = {"positions": len(gap), "ours": ours.report(gap)}
for key, (side, _) in zip(("peer", "peer_float16"), others):
    result[key] = side.report(gap)
print(json.dumps(result))
failed = [] if greedy else ["a token is not the argmax of its logits"]
if result["ours"]["differ"] or result["ours"]["differ_by_position"]:
    failed.append("another argmax where the gap is wide")
if result["ours"]["share"] < a.share:
    failed.append(f"the gap is wide at fewer than {100 * a.share:g} % of the positions")
print("FAILED: " + "; ".join(failed) if failed else "same argmax wherever the gap is wide")
sys.exit(bool(failed))
