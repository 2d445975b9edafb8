#!/usr/bin/env python3
"""Writes adapter_config.json files as PEFT writes them, and which modules PEFT adapts for each.

Usage: peft_config.py OUT_DIR
The model is a phi of 12 layers and tiny widths; names, not numbers, are what is compared.
"""
import json
import pathlib
import sys
import tempfile

from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import PhiConfig, PhiForCausalLM

out = pathlib.Path(sys.argv[1])
shape = PhiConfig(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=12, num_attention_heads=2,
                  max_position_embeddings=16)
cases = {
    "list": dict(target_modules=["q_proj", "v_proj"]),
    "default": dict(),
    "all_linear": dict(target_modules="all-linear"),
    "regex": dict(target_modules=r".*\.layers\.[1-3]\.(self_attn\.(q|k)_proj|mlp\.fc1)"),
    "dotted": dict(target_modules=["self_attn.dense", "mlp.fc2"], r=4, lora_alpha=8),
    "exclude_list": dict(target_modules="all-linear", exclude_modules=["fc1", "layers.3.self_attn.q_proj"]),
    "exclude_regex": dict(target_modules=["q_proj", "fc2"], exclude_modules=r".*\.1[01]\..*"),
    "layers": dict(target_modules=["fc1"], layers_to_transform=[0, 2, 11]),
    "one_layer": dict(target_modules=["k_proj", "fc2"], layers_to_transform=5, layers_pattern="layers"),
    "full_name_ignores_layers": dict(target_modules=["fc1", "model.layers.7.mlp.fc2"], layers_to_transform=[1]),
    "rank_pattern": dict(target_modules=["q_proj", "v_proj", "fc1"], r=8, lora_alpha=16,
                         rank_pattern={"q_proj": 4, r"model\.layers\.1\.self_attn\.v_proj": 2, "layers.0.mlp.fc1": 3},
                         alpha_pattern={"fc1": 32, "^model.layers.2.self_attn.q_proj": 5}),
    "rslora": dict(target_modules=["dense"], r=9, lora_alpha=16, use_rslora=True, lora_dropout=1e-05),
    "unicode": dict(target_modules=["dense"], base_model_name_or_path="/modèles/phi-2 \"ß\" 😀", revision="main",
                    lora_dropout=0.1),
}
expected = {}
for name, arguments in cases.items():
    arguments = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05, "task_type": "CAUSAL_LM", **arguments}
    model = PhiForCausalLM(shape)
    names = [n for n, m in model.named_modules() if type(m).__name__ == "Linear" and n != "lm_head"]
    wrapped = get_peft_model(model, LoraConfig(**arguments))
    expected[name] = [
        [n.removeprefix("base_model.model."), m.r["default"], m.scaling["default"]]
        for n, m in wrapped.named_modules() if isinstance(m, LoraLayer)]
    # As written before a model resolves it, so that the file shows what was asked for.
    config = LoraConfig(**arguments)
    config.inference_mode = True
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        text = (pathlib.Path(folder) / "adapter_config.json").read_text()
    # A set has no order of its own; sorted, the file is the same whenever it is made.
    parsed = json.loads(text)
    for key in ("target_modules", "exclude_modules"):
        if isinstance(parsed[key], list):
            parsed[key] = sorted(parsed[key])
    (out / f"adapter_{name}.json").write_text(json.dumps(parsed, indent=2, sort_keys=True))
(out / "peft_modules.json").write_text(
    json.dumps({"linears": names, "cases": expected}, separators=(",", ":")) + "\n")
