#!/usr/bin/env python3
"""Writes the keys and defaults of TrainingArguments, LoraConfig and BitsAndBytesConfig, and training_args files as
transformers writes them.

Usage: hf_keys.py OUT_DIR [transformers-4.x wheel]...
Keys of older transformers are read from the wheels' source, nothing of them is run. The project described by the files
is QLoRA on phi-2 with the settings people use: enums, null values and masked tokens are in it.
"""
import ast
import dataclasses
import enum
import inspect
import json
import pathlib
import sys
import zipfile

import peft
import torch
import transformers
import yaml
from peft import LoraConfig
from transformers import BitsAndBytesConfig, TrainingArguments

out = pathlib.Path(sys.argv[1])


def plain(value):
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    return value


def defaults(cls):
    keys = {}
    for f in dataclasses.fields(cls):
        value = f.default if f.default is not dataclasses.MISSING else f.default_factory()
        keys[f.name] = plain(value)
    return keys


def older(wheel):
    """Fields of TrainingArguments in the source of another version; what is no literal is left null."""
    tree = ast.parse(zipfile.ZipFile(wheel).read("transformers/training_args.py"))
    (cls,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "TrainingArguments"]
    keys = {}
    for node in cls.body:
        if not isinstance(node, ast.AnnAssign):
            continue
        keys[node.target.id] = None
        for keyword in getattr(node.value, "keywords", []):
            if keyword.arg == "default":
                try:
                    keys[node.target.id] = ast.literal_eval(keyword.value)
                except ValueError:
                    pass
    return keys


bnb = {name: p.default for name, p in inspect.signature(BitsAndBytesConfig.__init__).parameters.items()
       if name not in ("self", "kwargs")}
bnb |= {k: plain(v) for k, v in BitsAndBytesConfig().to_dict().items()}
tables = {
    "transformers": transformers.__version__,
    "peft": peft.__version__,
    "TrainingArguments": defaults(TrainingArguments),
    "LoraConfig": defaults(LoraConfig),
    "BitsAndBytesConfig": bnb,
}
for wheel in sys.argv[2:]:
    tables["TrainingArguments " + pathlib.Path(wheel).name.split("-")[1]] = older(wheel)
(out / "hf_keys.json").write_text(json.dumps(tables, indent=1) + "\n")

arguments = TrainingArguments(
    output_dir="phi-2-oasst", run_name="phi-2-oasst-r16", num_train_epochs=3, per_device_train_batch_size=4,
    gradient_accumulation_steps=4, learning_rate=3.3333e-5, weight_decay=0.001, lr_scheduler_type="cosine_with_min_lr",
    lr_scheduler_kwargs={"min_lr": 1e-5}, warmup_steps=0.03, optim="paged_adamw_32bit", max_grad_norm=0.3,
    logging_steps=10, eval_strategy="steps", eval_steps=50, save_steps=50, save_total_limit=3, seed=7,
    gradient_checkpointing=True, gradient_checkpointing_kwargs={"use_reentrant": False}, report_to=["tensorboard"],
    push_to_hub=False, hub_model_id="somebody/phi-2-oasst", dataloader_num_workers=2, load_best_model_at_end=True,
    bf16=torch.cuda.is_available(), use_cpu=not torch.cuda.is_available())
(out / "training_args.json").write_text(arguments.to_json_string())
values = json.loads(arguments.to_json_string())
(out / "training_args.yaml").write_text(yaml.dump(values, sort_keys=False))

quantisation = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                  bnb_4bit_compute_dtype=torch.bfloat16)
lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.05, target_modules=["q_proj", "k_proj", "v_proj", "dense"],
                  task_type="CAUSAL_LM")
both = {k: list(v) if isinstance(v, set) else plain(v) for k, v in lora.to_dict().items()}
both["target_modules"] = sorted(both["target_modules"])
both |= {k: plain(v) for k, v in quantisation.to_dict().items()}
(out / "lora_and_bitsandbytes.json").write_text(json.dumps(both, indent=2) + "\n")
