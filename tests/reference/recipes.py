"""Running the program from scripts: recipes, model folders, and what its errors say. Needs no torch."""
import json
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT_IN = ROOT / "resources/demo/model"
SAMPLE = ROOT / "resources/demo/sample/oasst1-en-validation.messages.jsonl.gz"
TARGETS = ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]
TOKENIZER = ["tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
             "added_tokens.json", "tokenizer.json"]


def run(*command, env=None):
    """Standard output; where the command fails, its last words end the script."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(str(word) for word in command)}\nended with {done.returncode}:\n"
                         f"{done.stderr[-2000:]}")
    return done.stdout


def write(folder, training, qlora):
    """training_config.yaml and qlora_config.json in `folder` (JSON is YAML), as options."""
    folder = pathlib.Path(folder)
    (folder / "training_config.yaml").write_text(json.dumps(training, indent=1))
    (folder / "qlora_config.json").write_text(json.dumps(qlora, indent=1))
    return ["--config", folder / "training_config.yaml", "--qlora_config", folder / "qlora_config.json"]


def nf4(r, alpha=None):
    return {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": "bfloat16", "r": r, "lora_alpha": alpha or r, "lora_dropout": 0,
            "target_modules": TARGETS}


def random_model(program, device):
    """The phi-2-shaped checkpoint that `qlora-studio bench` makes in the temporary folder."""
    folder = pathlib.Path(tempfile.gettempdir()) / "qlora-studio-bench-phi-2"
    if not (folder / "config.json").exists():
        run(program, "bench", "load", "--device", device)
    return folder


def give_tokenizer(folder):
    """To a model folder without one: phi-2's where the vocabulary holds it, else the built-in model's."""
    folder = pathlib.Path(folder)
    if any((folder / n).exists() for n in ("vocab.json", "tokenizer.model", "tokenizer.json")):
        return
    vocab = json.loads((folder / "config.json").read_text())["vocab_size"]
    source = ROOT / "tests/reference/data/phi-2" if vocab > 50257 else BUILT_IN
    for name in TOKENIZER:
        if (source / name).exists():
            shutil.copy(source / name, folder / name)


def with_tokenizer(folder, into):
    """A folder of links to the model's files, with a tokenizer."""
    into = pathlib.Path(into)
    into.mkdir()
    for file in pathlib.Path(folder).iterdir():
        (into / file.name).symlink_to(file.resolve())
    give_tokenizer(into)
    return into
