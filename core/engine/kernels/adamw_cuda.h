// AdamW and the gradient's norm over flat float32 buffers on the GPU; formulas in train/adamw.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/adamw.h"
#include "engine/kernels/matrix.h"

namespace studio::engine::kernels::gpu {

void adamW(Stream stream, const AdamWStep& step, std::int64_t count, float* parameters, const float* gradients,
           float* exp_avg, float* exp_avg_sq);

// *sum = Σ values², in double, in an order that depends on `count` alone. partial: kNormParts doubles; both on the
// device.
inline constexpr int kNormParts = 1024;
void sumOfSquares(Stream stream, const float* values, std::int64_t count, double* partial, double* sum);

}  // namespace studio::engine::kernels::gpu
