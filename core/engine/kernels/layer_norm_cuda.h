// LayerNorm in bf16 with statistics in float32; formulas in layer_norm.h. cols is a multiple of 8 and at most 8,192.
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels::gpu {

inline constexpr std::int64_t kWidestNorm = 8192;

void layerNorm(Stream stream, const Matrix& x, const float* weight, const float* bias, float eps, const Matrix& y,
               float* mean, float* rstd);

// dx = …, or dx += … with `accumulate`; dx may be dy.
void layerNormBackward(Stream stream, const Matrix& dy, const Matrix& x, const float* weight, const float* mean,
                       const float* rstd, bool accumulate, const Matrix& dx);

}  // namespace studio::engine::kernels::gpu
