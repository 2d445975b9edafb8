#!/usr/bin/env python3
"""Trains two very small sentencepiece models on the sample and writes what the library makes of some texts.

    python3 make_sentencepiece_golden.py ../../resources/demo/sample/oasst1-en-validation.messages.jsonl.gz data/sentencepiece

tokenizer.model: BPE as llama has it (byte fallback, no normalisation, a space before the text), with the user-defined
pieces <|end|>, which special_tokens_map.json makes the end of a text, and "\\t\\t". tokens.jsonl: text and ids.
unigram/: a unigram model with a small table of replacements and the library's defaults otherwise. Needs: sentencepiece.
"""
import gzip
import json
import os
import sys

import sentencepiece as spm

sample, out = sys.argv[1:]
with gzip.open(sample, "rt", encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines]

probes = ["", " ", "  ", "a", " a", "a ", "Hello world", "  Hello   world  ", "Hello\n\nworld\t\tx\ty", "don't I'll 1234567",
          "naïve Straße", "日本語 中文", "👨‍👩‍👧 🙂", "e\u0301", "\x00\x01\x7f", "\r\n", "<s>", "</s>", "a</s>b", "<unk>", "<0x41>", "<|end|>",
          "a<|end|>b", "<|prompter|>", "### Human: hi### Assistant: hello", "x" * 100, "=-" * 60, "\t\t\t", "ﬁne Ａ"]
probes += [text for text in texts if len(text) < 300][:120]
rules = "FB01\t66 69\nFF21\t41\n"   # ﬁ to fi, full-width A to A


def train(folder, **options):
    os.makedirs(folder, exist_ok=True)
    spm.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_prefix=f"{folder}/tokenizer", minloglevel=1,
                                   num_threads=1, shuffle_input_sentence=False, max_sentence_length=1 << 16, **options)
    os.remove(f"{folder}/tokenizer.vocab")
    tokenizer = spm.SentencePieceProcessor(model_file=f"{folder}/tokenizer.model")
    with open(f"{folder}/tokens.jsonl", "w", encoding="utf-8") as file:
        for text in probes:
            file.write(json.dumps({"text": text, "ids": tokenizer.encode(text)}, separators=(",", ":")) + "\n")


train(out, model_type="bpe", vocab_size=900, byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=True,
      remove_extra_whitespaces=False, split_digits=True, user_defined_symbols=["<|end|>", "\t\t"], character_coverage=0.999)
with open(f"{out}/special_tokens_map.json", "w") as file:
    file.write('{"eos_token": "<|end|>"}\n')

with open(f"{out}/rules.tsv", "w") as file:
    file.write(rules)
train(f"{out}/unigram", model_type="unigram", vocab_size=300, normalization_rule_tsv=f"{out}/rules.tsv", character_coverage=0.99)
os.remove(f"{out}/rules.tsv")
