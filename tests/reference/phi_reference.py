"""What the checks of the engine share: phi in float32 on bitsandbytes' NF4 weights, the peer people use, and a batch of
`qlora-studio train --dry_run --dump` as one attention mask and one loss."""
import json
import pathlib
import shutil

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers.utils import logging

logging.disable_progress_bar()
logging.set_verbosity_error()


def dequantised(weight, single_quant=False):
    """The weight after NF4 and back, float32."""
    q, state = quantize_4bit(weight, quant_type="nf4", compress_statistics=not single_quant)
    state.dtype = torch.float32
    return dequantize_4bit(q, state)


def reference(folder, device="cpu", quantised=True, single_quant=False, attention="sdpa"):
    """Everything in float32, the linears' weights those of NF4."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
    for name, module in model.named_modules():
        if quantised and isinstance(module, torch.nn.Linear) and name != "lm_head":
            module.weight.data = dequantised(module.weight.data.to(device), single_quant).to("cpu")
    return model.to(device)


def peer(folder, device="cuda"):
    """transformers + bitsandbytes as people load it: NF4 with double quantisation, bfloat16."""
    return AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.bfloat16, device_map={"": 0 if device == "cuda" else device},
        quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4",
                                               bnb_4bit_use_double_quant=True,
                                               bnb_4bit_compute_dtype=torch.bfloat16))


def bfloat16_copy(folder, into):
    """The checkpoint with every value rounded to bfloat16, so that the peer, which rounds before it quantises, has the
    same NF4 weights as the others."""
    folder, into = pathlib.Path(folder), pathlib.Path(into)
    into.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.suffix == ".safetensors":
            save_file({n: t.to(torch.bfloat16) for n, t in load_file(file).items()}, into / file.name, {"format": "pt"})
        elif file.is_file():
            shutil.copy(file, into / file.name)
    return into


def read_dump(folder):
    folder = pathlib.Path(folder)
    return json.loads((folder / "batch.json").read_text()), load_file(folder / "dump.safetensors")


def attention_mask(batch, device="cpu", dtype=torch.float32):
    """Who sees whom, [1, 1, rows, rows], added to the scores."""
    rows = len(batch["tokens"])
    allowed = torch.zeros(rows, rows, dtype=torch.bool)
    for s in batch["segments"]:
        for begin, end in s["context"]:
            allowed[s["begin"]:s["end"], begin:end] = True
        n = s["end"] - s["begin"]
        allowed[s["begin"]:s["end"], s["begin"]:s["end"]] = torch.tril(torch.ones(n, n, dtype=torch.bool))
    return torch.zeros(rows, rows, dtype=dtype).masked_fill(~allowed, torch.finfo(dtype).min)[None, None].to(device)


def batch_loss(model, batch, device="cpu", dtype=torch.float32):
    """Logits of the target rows (ascending), nll of each target and Σ w·nll / Σ w, as the dump has them."""
    logits = model(input_ids=torch.tensor([batch["tokens"]], device=device),
                   position_ids=torch.tensor([batch["positions"]], device=device),
                   attention_mask=attention_mask(batch, device, dtype), use_cache=False).logits[0]
    rows = torch.tensor([t["row"] for t in batch["targets"]], device=device)
    tokens = torch.tensor([t["token"] for t in batch["targets"]], device=device)
    weights = torch.tensor([t["weight"] for t in batch["targets"]], device=device)
    nll = torch.nn.functional.cross_entropy(logits[rows].float(), tokens, reduction="none")
    return logits[torch.unique(rows)], nll, (weights * nll).sum() / weights.sum()


def gradients(model):
    """LoRA gradients with PEFT's names in files, float32 on the CPU."""
    return {n.replace(".default", ""): p.grad.detach().float().cpu() for n, p in model.named_parameters()
            if "lora_" in n}


def distance(a, b):
    """‖a − b‖ / ‖b‖"""
    return ((a - b).double().norm() / b.double().norm().clamp_min(1e-300)).item()


def checkpoint_tensors(folder):
    found = {}
    for file in sorted(pathlib.Path(folder).glob("*.safetensors")):
        with safe_open(file, "pt") as f:
            found.update({name: f.get_tensor(name) for name in f.keys()})
    return found
