#!/usr/bin/env python3
"""Writes a small phi checkpoint as transformers + bitsandbytes save it in 4 bits.

    OMP_NUM_THREADS=1 python3 make_phi_4bit.py data/phi-4bit

Two folders below: nested (double quantisation) and plain. The weights are those of the formula in make_phi_golden.py.
Needs: torch, transformers, bitsandbytes, accelerate, safetensors.
"""
import os
import sys
import tempfile

import torch
import transformers
from make_phi_golden import value
from transformers import BitsAndBytesConfig, PhiConfig, PhiForCausalLM

SHAPE = dict(vocab_size=40, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=2,
             num_key_value_heads=2, max_position_embeddings=64, partial_rotary_factor=0.4)


def main(folder):
    transformers.logging.set_verbosity_error()
    model = PhiForCausalLM(PhiConfig(**SHAPE, tie_word_embeddings=False)).half()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(value(key, parameter.shape))
    with tempfile.TemporaryDirectory() as plain:
        model.save_pretrained(plain)
        for name, nested in (("nested", True), ("plain", False)):
            options = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=nested,
                                         bnb_4bit_compute_dtype=torch.float32)
            quantised = PhiForCausalLM.from_pretrained(plain, quantization_config=options, device_map="cpu")
            quantised.save_pretrained(os.path.join(folder, name))
            os.chmod(os.path.join(folder, name, "model.safetensors"), 0o644)


if __name__ == "__main__":
    main(sys.argv[1])
