#!/usr/bin/env python3
"""Golden next-token probabilities of transformers' processors, in the order in which generate() applies them.

Usage: make_sampler_golden.py OUT_DIR   (writes sampler.safetensors; settings are columns, see SETTINGS)
"""
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import (LogitsProcessorList, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper,
                          TopKLogitsWarper, TopPLogitsWarper)

torch.set_num_threads(1)
torch.manual_seed(11)
vocab = 61
# repetition_penalty, temperature, top_k, top_p
SETTINGS = [(1.0, 1.0, 0, 1.0), (1.0, 0.7, 0, 1.0), (1.0, 1.3, 5, 1.0), (1.0, 1.0, 0, 0.9), (1.2, 0.8, 20, 0.95),
            (1.2, 1.0, 0, 1.0), (0.7, 1.5, 0, 0.5), (1.5, 0.3, 3, 0.3), (1.0, 2.0, 100, 0.99), (1.1, 1.0, 1, 0.5)]
logits, histories, probabilities, settings = [], [], [], []
for penalty, temperature, top_k, top_p in SETTINGS:
    for spread in (1.0, 4.0):
        scores = torch.randn(1, vocab) * spread
        history = torch.randint(0, vocab, (1, 12))
        processors = LogitsProcessorList()
        if penalty != 1:
            processors.append(RepetitionPenaltyLogitsProcessor(penalty))
        if temperature != 1:
            processors.append(TemperatureLogitsWarper(temperature))
        if top_k:
            processors.append(TopKLogitsWarper(top_k))
        if top_p < 1:
            processors.append(TopPLogitsWarper(top_p))
        logits.append(scores[0])
        histories.append(history[0].int())
        probabilities.append(processors(history, scores.clone()).softmax(-1)[0])
        settings.append(torch.tensor([penalty, temperature, top_k, top_p], dtype=torch.float64))
save_file({"logits": torch.stack(logits), "history": torch.stack(histories), "settings": torch.stack(settings),
           "probabilities": torch.stack(probabilities)}, pathlib.Path(sys.argv[1]) / "sampler.safetensors")
