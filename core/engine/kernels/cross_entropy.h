// Softmax cross entropy over rows of logits that may have several weighted targets each.
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

struct RowTargets {
    const int* begin = nullptr;     // [rows + 1]: targets begin[i] … begin[i + 1] − 1 belong to row i
    const int* token = nullptr;     // [targets]
    const float* weight = nullptr;  // [targets]
};

// nll[t] = log Σ exp(logits[row]) − logits[row][token[t]] for every target of every row of `logits`. With `gradient`,
// logits are overwritten by d(Σ w·nll)/dlogits = (Σ w)·softmax − Σ w·onehot.
void crossEntropy(Stream stream, const Matrix& logits, const RowTargets& targets, float* nll, bool gradient);

}  // namespace studio::engine::kernels
