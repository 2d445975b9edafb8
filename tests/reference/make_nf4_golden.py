#!/usr/bin/env python3
"""Writes nf4.safetensors: matrices and what bitsandbytes makes of them on a CPU.

    OMP_NUM_THREADS=1 python3 make_nf4_golden.py data/nf4.safetensors

For each case X: X.values (the input, float16 or float32), X.codes, X.absmax; X.absmax_codes, X.nested_absmax, X.offset
(double quantisation); every seventh value of both dequantised in float32. map: the 256-entry dynamic code.
Needs: torch, bitsandbytes 0.50.2, safetensors.
"""
import sys

import bitsandbytes.functional as F
import torch
from safetensors.torch import save_file

torch.manual_seed(1)


def ties():
    """Blocks whose scaled values are exactly the decision thresholds, scaled by powers of two."""
    code = F.get_4bit_type("nf4", device="cpu")
    middle = (code[:-1] + code[1:]) / 2
    row = torch.cat([middle, torch.ones(1), -middle, -torch.ones(1), code, code])
    return torch.stack([row * 2.0 ** k for k in (-20, -3, 0, 5)])


def shifted():
    """Block scales with one far outlier: most nested codes sit near zero."""
    x = torch.randn(300, 64) * 0.01
    x[37] *= 500
    return x


cases = {
    "random": torch.randn(96, 80),
    "half": (torch.randn(130, 200) * 0.05).half(),
    "odd": torch.randn(7, 33),
    "narrow": (torch.randn(3, 100) * 0.02).half(),
    "one": torch.tensor([[0.3]]),
    "constant": torch.full((5, 64), -0.37),
    "zero": torch.zeros(4, 48),
    "some_zero_blocks": torch.cat([torch.zeros(2, 64), torch.randn(3, 64), torch.zeros(1, 64)]),
    "tiny": torch.randn(6, 70) * 1e-39,
    "huge": torch.randn(6, 70) * 1e37,
    "mixed": torch.randn(40, 64) * torch.logspace(-30, 30, 40).unsqueeze(1),
    "outlier": shifted(),
    "ties": ties(),
    "integers": torch.randint(-8, 9, (50, 72)).float(),
}
out = {"map": F.create_dynamic_map()}
for name, x in cases.items():
    plain, state = F.quantize_4bit(x, compress_statistics=False, quant_type="nf4")
    double, nested = F.quantize_4bit(x, compress_statistics=True, quant_type="nf4")
    assert torch.equal(plain, double)
    state.dtype = nested.dtype = torch.float32
    out[f"{name}.values"] = x
    out[f"{name}.codes"] = plain.flatten()
    out[f"{name}.absmax"] = state.absmax
    out[f"{name}.absmax_codes"] = nested.absmax
    out[f"{name}.nested_absmax"] = nested.state2.absmax
    out[f"{name}.offset"] = nested.offset.reshape(1)
    out[f"{name}.dequantised"] = F.dequantize_4bit(plain, state).flatten()[::7].contiguous()
    out[f"{name}.double_dequantised"] = F.dequantize_4bit(double, nested).flatten()[::7].contiguous()
save_file(out, sys.argv[1])
