#!/usr/bin/env python3
"""Trains the toy model's sentencepiece tokenizer.

    python3 train_tokenizer.py --texts en-train.texts.jsonl.gz --out model

Byte-pair encoding with byte fallback and no normalisation at all, so that
decode(encode(text)) == text byte for byte (one exception: U+2581, the sign
sentencepiece itself writes for a space, comes back as a space).
Needs: sentencepiece.
"""
import argparse
import gzip
import json
import os

import sentencepiece as spm


def read_texts(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", required=True, help="JSONL (may be .gz) with a key `text`")
    parser.add_argument("--out", required=True, help="folder for tokenizer.model")
    parser.add_argument("--vocab_size", type=int, default=4096)
    args = parser.parse_args()

    texts = read_texts(args.texts)
    prefix = os.path.join(args.out, "tokenizer")
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=prefix,
        model_type="bpe",
        vocab_size=args.vocab_size,
        character_coverage=0.9995,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        split_digits=True,
        max_sentence_length=1 << 20,
        input_sentence_size=0,
        shuffle_input_sentence=False,
        num_threads=4,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
        minloglevel=1,
    )
    os.remove(prefix + ".vocab")

    tok = spm.SentencePieceProcessor(model_file=prefix + ".model")
    probes = ["", " ", "  a   b  ", "\n\n\tx\t\ty \n ", "e\u0301 \u00e9 \ufb01", "日本語 🙂 \u200b", "<s></s><unk>", "\r\n", "\x00\x01"]
    wrong = [t for t in texts + probes if tok.decode(tok.encode(t)) != t]
    allowed = [t for t in wrong if "\u2581" in t]
    tokens = sum(len(tok.encode(t)) for t in texts)
    size = sum(len(t.encode()) for t in texts)
    print(f"pieces {tok.vocab_size()}  tokens {tokens}  bytes a token {size / tokens:.3f}")
    print(f"texts {len(texts)}  not given back {len(wrong)} (of them with U+2581: {len(allowed)})")
    if len(wrong) != len(allowed):
        raise SystemExit("the tokenizer does not give a text back")


if __name__ == "__main__":
    main()
