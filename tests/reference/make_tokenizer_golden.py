#!/usr/bin/env python3
"""Writes what transformers makes of odd texts with phi-2's tokenizer, one JSON object a line.

    python3 make_tokenizer_golden.py data/phi-2 data/phi-2-tokens.jsonl

text; ids; ids_as_message (only where it differs): special tokens written in the text are ordinary text, as with
split_special_tokens=True. Needs: transformers.
"""
import json
import random
import shutil
import sys
import tempfile
import unicodedata

from transformers import AutoTokenizer

folder, out = sys.argv[1:]


def load(folder):
    """The original's tokenizer_config.json, which goes with the three files: white space is added, but not special."""
    def added(content, special):
        return {"content": content, "lstrip": False, "normalized": not special, "rstrip": False, "single_word": False,
                "special": special}
    tokens = {"50256": added("<|endoftext|>", True)}
    with open(f"{folder}/added_tokens.json") as file:
        tokens |= {str(id): added(content, False) for content, id in json.load(file).items()}
    with tempfile.TemporaryDirectory() as copy:
        for name in ("vocab.json", "merges.txt", "added_tokens.json"):
            shutil.copy(f"{folder}/{name}", copy)
        with open(f"{copy}/tokenizer_config.json", "w") as file:
            json.dump({"add_prefix_space": False, "added_tokens_decoder": tokens, "bos_token": "<|endoftext|>",
                       "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "tokenizer_class": "CodeGenTokenizer",
                       "model_max_length": 2048}, file)
        return AutoTokenizer.from_pretrained(copy)


tokenizer = load(folder)
assert type(tokenizer).__name__ == "CodeGenTokenizer" and len(tokenizer) == 50295
rng = random.Random(20)

by_category = {}
for code in range(0x110000):
    category = unicodedata.category(chr(code))
    if category != "Cs":
        by_category.setdefault(category, []).append(chr(code))

spaces = ["\t", "\n", "\v", "\f", "\r", " ", "\x85", "\xa0", "\u1680", "\u2003", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
pools = {
    "words": "the of and Hello WORLD don't I'll we've you're he'd I'm it's O'Neil 'twas ''s '' 're're naïve Straße".split(),
    "digits": ["0", "12", "345", "2024", "٣٤", "९", "៥", "¼", "²", "Ⅷ", "一二", "㊿", "𝟘𝟙"],
    "scripts": ["日本語", "中文", "한국어", "ไทย", "עברית", "العربية", "हिन्दी", "Ελληνικά", "Русский", "ქართული", "አማርኛ", "ᏣᎳᎩ"],
    "marks": ["e\u0301", "\u0301", "\u0308\u0323", "क्षि", "\u200d", "\u200c", "\ufe0f", "\u20dd", "Z\u0351\u036b\u0343"],
    "emoji": ["🙂", "👨‍👩‍👧‍👦", "👍🏽", "🏳️‍🌈", "🇩🇪", "☃️", "#️⃣", "🧑🏻‍🚀"],
    "punctuation": list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["...", "—", "«", "¿", "“", "”", "→", "€", "©", "```", "=="],
    "control": ["\x00", "\x01", "\x07", "\x1b[0m", "\x7f", "\x80", "\x9f", "\u200b", "\ufeff", "\ufffd", "\uffff", "\U0010ffff", "\ue000", "\u2060"],
    "spaces": spaces + [" " * n for n in (1, 1, 2, 3, 5, 30, 31, 32, 33, 62, 63, 64)] + ["\t" * n for n in (2, 3, 8, 9, 10, 18, 19)],
    "specials": ["<|endoftext|>", "<|endoftext|", "|endoftext|>", "<|endoftext|><|endoftext|>", "<|ENDOFTEXT|>", "<|prompter|>", "<|assistant|>"],
    "code": ["def f(x):\n    return x\n", "\tif (a) {\n\t\tb();\n\t}\r\n", "<div class=\"x\">", "a += 1;", "\n\n\n", "x  =  y"],
    "latin": [chr(c) for c in range(0x20, 0x250)],
}
pools["newest"] = ["\u1c89", "\ua7cb", "\U000105c0", "\U00010d40", "\U0002ebf0", "\U00013460", "\U00016d70"]   # Unicode 15.1 and 16


def mixture():
    names = rng.sample(sorted(pools), rng.randint(1, 5)) + ["spaces"] * rng.randint(0, 2)
    return "".join(rng.choice(pools[rng.choice(names)]) for _ in range(rng.randint(1, 14)))


texts = ["", " ", "  ", "\t", "\t\t", "\n", "\n\n", "a", " a", "a ", "  a", "a  ", " \n a", "\t\t \t\t", "  \t\t  "]
texts += ["Hello world", " Hello world", "a  b", "a\t\tb", " " * 31 + "x", " " * 32 + "x", "def f(x):\n    return x\n", "x \n y",
          "I'm don't WE'LL we'll", "日本語のテキスト", "<|prompter|>hi<|endoftext|><|assistant|>", "### Human: hi### Assistant: hello",
          "Instruct: Write a detailed analogy between mathematics and a lighthouse.\nOutput:"]
texts += ["a" * n for n in (23, 24, 25, 47, 48, 49, 50, 300)] + ["abcdefghij" * 30, "1234567890" * 20, "👨‍👩‍👧" * 30, "\u0301" * 60, "=" * 200]
texts += ["x" + space * n + "y" for space in spaces for n in (1, 2, 3)]
texts += [category + "".join(rng.choices(chars, k=6)) + " " + "".join(rng.choices(chars, k=3)) for category, chars in sorted(by_category.items()) for _ in range(2)]
while len(texts) < 520:
    texts.append(mixture())

with open(out, "w", encoding="utf-8") as file:
    for text in texts:
        row = {"text": text, "ids": tokenizer(text)["input_ids"]}
        as_message = tokenizer(text, split_special_tokens=True)["input_ids"]
        if as_message != row["ids"]:
            row["ids_as_message"] = as_message
        file.write(json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n")
