#!/usr/bin/env python3
"""Counts of examples, tokens and targets of an OASST1 messages file for every path policy, computed path by path.

Usage: dataset_counts.py resources/demo/sample/oasst1-en-validation.messages.jsonl.gz > tests/reference/data/dataset_counts.json

A byte counts as a token and EOS as one, with the openassistant template, so that no tokenizer is involved.
`sha256` is taken over one line an example: last message id, tokens, targets.
"""
import gzip
import hashlib
import json
import sys

MARKER = {"prompter": len("<|prompter|>"), "assistant": len("<|assistant|>")}


def read_trees(path):
    """{tree id: {message id: (parent, role, rank, length)}} in file order, without deleted messages and orphans."""
    trees = {}
    for line in gzip.open(path, "rt", encoding="utf-8"):
        m = json.loads(line)
        tree = trees.setdefault(m["message_tree_id"], {})
        if m["deleted"] or (m["parent_id"] is not None and m["parent_id"] not in tree):
            continue
        tree[m["message_id"]] = (m["parent_id"], m["role"], m["rank"], len(m["text"].encode()))
    return {k: v for k, v in trees.items() if v}


def children(tree, message):
    return [m for m in tree if tree[m][0] == message]


def path_to(tree, message):
    path = []
    while message is not None:
        path.insert(0, message)
        message = tree[message][0]
    return path


def answered(tree, message):
    return tree[message][1] == "assistant" or any(answered(tree, c) for c in children(tree, message))


def best(tree):
    path = [next(iter(tree))]
    while True:
        below = [c for c in children(tree, path[-1]) if answered(tree, c)]
        if not below:
            return path
        if tree[below[0]][1] == "assistant":
            below.sort(key=lambda m: (tree[m][2] is None, tree[m][2] or 0))
        path.append(below[0])


def leaves(tree):
    paths = []
    for m in tree:
        if not children(tree, m):
            path = path_to(tree, m)
            if tree[path[-1]][1] == "prompter":
                path.pop()
            if path and path not in paths:
                paths.append(path)
    return paths


def depth_first(tree, message):
    return [message] + [m for c in children(tree, message) if answered(tree, c) for m in depth_first(tree, c)]


def count(trees, policy, train_on, bound):
    totals = dict(conversations=0, examples=0, tokens=0, supervised_tokens=0, cut_tokens=0)
    left_out = dict(trees_without_reply=0, examples_without_target=0)
    distinct, digest = 0, hashlib.sha256()
    for tree in trees.values():
        if not answered(tree, next(iter(tree))):
            left_out["trees_without_reply"] += 1
            continue
        if policy == "best":
            examples = [best(tree)]
        elif policy == "leaves":
            examples = leaves(tree)
        elif policy == "replies":
            examples = [path_to(tree, m) for m in tree if tree[m][1] == "assistant"]
        else:
            examples = [depth_first(tree, next(iter(tree)))]
        used, kept_any = {}, False
        for example in examples:
            tokens = targets = cut = 0
            rows = {}
            for m in example:
                parent, role, _, length = tree[m]
                size = MARKER[role] + length + 1
                start = sum(MARKER[tree[a][1]] + tree[a][3] + 1 for a in path_to(tree, parent))
                kept = max(0, min(size, bound - start)) if bound else size
                rows[m] = kept
                tokens += kept
                cut += size - kept
                if policy == "replies" and m != example[-1]:
                    continue
                if train_on == "all":
                    targets += kept - (1 if parent is None and kept else 0)
                elif role == "assistant":
                    targets += max(0, kept - MARKER[role])
            totals["cut_tokens"] += cut
            if not targets:
                left_out["examples_without_target"] += 1
                continue
            kept_any = True
            used.update(rows)
            totals["examples"] += 1
            totals["tokens"] += tokens
            totals["supervised_tokens"] += targets
            digest.update(f"{example[-1]} {tokens} {targets}\n".encode())
        distinct += sum(used.values())
        totals["conversations"] += kept_any
    return totals | {"repetition": totals["tokens"] / distinct, "left_out": left_out, "sha256": digest.hexdigest()}


trees = read_trees(sys.argv[1])
rows = [
    {"paths": policy, "train_on": train_on, "max_seq_length": bound} | count(trees, policy, train_on, bound)
    for policy in ("best", "leaves", "replies", "tree")
    for train_on in ("assistant", "all")
    for bound in (0, 512, 2048)
]
print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
