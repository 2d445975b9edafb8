// AdamW on flat fp32 buffers. The adapter is one array, so that one pass over memory does a whole update.
#pragma once

#include <span>

#include "engine/kernels/adamw.h"

namespace studio::engine {

// Euclidean norm. Summed in double in one fixed order: the same bytes give the same norm on any number of threads.
// Not finite when any element is not.
double norm(std::span<const float> values);

// What clip_grad_norm_ multiplies by: min(1, max_norm / (norm + 1e-6)); 1 when max_norm is 0.
double clipFactor(double gradient_norm, double max_norm);

using kernels::AdamWStep;

// As torch.optim.AdamW: p *= 1 − lr·wd; m ← lerp(m, g, 1 − β1); v ← β2·v + (1 − β2)·g²;
// p −= lr/(1 − β1ᵗ) · m / (√v/√(1 − β2ᵗ) + ε). All four spans have the same length.
void adamW(const AdamWStep& step, std::span<float> parameters, std::span<const float> gradients,
           std::span<float> exp_avg, std::span<float> exp_avg_sq);

}  // namespace studio::engine
