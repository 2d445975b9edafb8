// Softmax cross entropy on bf16 logits; formula in cross_entropy.h.
#pragma once

#include "engine/kernels/cross_entropy.h"

namespace studio::engine::kernels::gpu {

// Targets and nll on the device. `first`: number of the logits' first row among the rows that targets.begin counts.
// cols is a multiple of 8.
void crossEntropy(Stream stream, const Matrix& logits, const RowTargets& targets, std::int64_t first, float* nll,
                  bool gradient);

}  // namespace studio::engine::kernels::gpu
