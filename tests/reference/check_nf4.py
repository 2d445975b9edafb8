#!/usr/bin/env python3
"""The engine's dequantised weights against bitsandbytes', bit for bit.

    check_nf4.py PROBE [--device cpu|cuda] [--model_path DIR]

Checkpoints are made of random normal values, with rows of zeros, of one value and with outliers among them, in float16,
bfloat16 and float32, widths that are no multiple of a block (64) nor of a nested one (256 blocks), and one layer of
phi-2's own size; or DIR is taken. Each is loaded plain and double-quantised by `probe weights`. On a GPU both sides are
rounded to bfloat16, as the products see them. The engine must equal bitsandbytes on the CPU; what bitsandbytes' own CUDA
kernels give is printed beside it, since they are built with fast division and a mean that adds in another order.
LibTorch's mean, which double quantisation begins with on both sides, adds in an order that hangs on the number of
threads: both sides take two. Exit 1 when a value differs.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from safetensors.torch import load_file, save_file

from phi_reference import checkpoint_tensors
from recipes import run

p = argparse.ArgumentParser()
p.add_argument("probe")
p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
p.add_argument("--model_path")
p.add_argument("--small", action="store_true", help="without the layer of phi-2's size")
a = p.parse_args()
torch.set_num_threads(2)


def make(folder, hidden, heads, intermediate, dtype, seed):
    """One layer; names and shapes of phi."""
    random = torch.Generator().manual_seed(seed)
    tensors = {"model.embed_tokens.weight": torch.zeros(16, hidden), "lm_head.weight": torch.zeros(16, hidden),
               "lm_head.bias": torch.zeros(16)}
    for name in ("model.layers.0.input_layernorm", "model.final_layernorm"):
        tensors |= {name + ".weight": torch.ones(hidden), name + ".bias": torch.zeros(hidden)}
    shapes = {f"self_attn.{n}": (hidden, hidden) for n in ("q_proj", "k_proj", "v_proj", "dense")}
    shapes |= {"mlp.fc1": (intermediate, hidden), "mlp.fc2": (hidden, intermediate)}
    for name, (rows, cols) in shapes.items():
        w = 0.02 * torch.randn(rows, cols, generator=random)
        w[1] = 0                     # whole blocks of zeros
        w[2] = 0.125                 # of one value
        w[3, ::17] *= 100            # outliers
        w[4] *= 1e-4                 # tiny ones (float16: subnormal)
        tensors |= {f"model.layers.0.{name}.weight": w, f"model.layers.0.{name}.bias": torch.zeros(rows)}
    save_file({n: t.to(dtype).contiguous() for n, t in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["PhiForCausalLM"], "model_type": "phi", "vocab_size": 16, "hidden_size": hidden,
        "intermediate_size": intermediate, "num_hidden_layers": 1, "num_attention_heads": heads,
        "num_key_value_heads": heads, "max_position_embeddings": 64, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5,
        "partial_rotary_factor": 0.5, "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "float16"}))


def theirs(weight, double, device, out):
    q, state = quantize_4bit(weight.to(device), quant_type="nf4", compress_statistics=double)
    state.dtype = out
    return dequantize_4bit(q, state).cpu()


def groups(tensors, double, device, out):
    """As the engine has them: q, k, v, fc1 stacked; dense, fc2 side by side."""
    layer = 0
    while (at := f"model.layers.{layer}.") + "mlp.fc1.weight" in tensors:
        def get(name):
            return theirs(tensors[at + name + ".weight"], double, device, out)
        yield f"{layer}.input", torch.cat([get("self_attn.q_proj"), get("self_attn.k_proj"), get("self_attn.v_proj"),
                                           get("mlp.fc1")])
        yield f"{layer}.output", torch.cat([get("self_attn.dense"), get("mlp.fc2")], 1)
        layer += 1


def unequal(x, y):
    bits = torch.int16 if x.dtype == torch.bfloat16 else torch.int32
    same_zero = (x == 0) & (y == 0)   # −0 is 0
    return int(((x.view(bits) != y.view(bits)) & ~same_zero).sum())


def check(name, folder, work):
    bad = 0
    tensors = checkpoint_tensors(folder)
    out = torch.bfloat16 if a.device == "cuda" else torch.float32
    for double in (False, True):
        file = work / "weights.safetensors"
        run(a.probe, "weights", folder, file, "--device", a.device, "--double_quant", str(double).lower(),
            env=os.environ | {"OMP_NUM_THREADS": "2"})
        ours = load_file(file)
        count = different = on_card = 0
        for group, expected in groups(tensors, double, "cpu", out):
            assert ours[group].dtype == out, f"{group}: {ours[group].dtype}"
            count += expected.numel()
            different += unequal(ours[group], expected)
        if a.device == "cuda":
            for group, expected in groups(tensors, double, "cuda", out):
                on_card += unequal(ours[group], expected)
        text = f"{name:<34} {'double' if double else 'plain':<7} {count:>11,} values, {different} differ"
        if a.device == "cuda":
            text += f"; from bitsandbytes on the card {on_card}"
        print(text, flush=True)
        bad += different > 0
    return bad


with tempfile.TemporaryDirectory() as temp:
    temp = pathlib.Path(temp)
    if a.model_path:
        sys.exit(check(pathlib.Path(a.model_path).name, pathlib.Path(a.model_path), temp) > 0)
    failed, seed = 0, 0
    shapes = [(88, 11, 200), (328, 41, 1288)] + ([] if a.small else [(2560, 32, 10240)])
    for hidden, heads, intermediate in shapes:
        for dtype in (torch.float16, torch.bfloat16, torch.float32):
            folder = temp / "model"
            folder.mkdir(exist_ok=True)
            make(folder, hidden, heads, intermediate, dtype, seed := seed + 1)
            failed += check(f"{hidden} x {intermediate}, {str(dtype)[6:]}", folder, temp)
sys.exit(failed > 0)
