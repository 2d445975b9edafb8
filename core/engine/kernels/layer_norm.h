// LayerNorm over the columns, statistics in float32.
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

// y = (x − mean)·rstd·weight + bias, rstd = 1/√(var + eps) with the biased variance; mean and rstd, [x.rows], are kept
// for backward.
void layerNorm(Stream stream, const Matrix& x, const float* weight, const float* bias, float eps, const Matrix& y,
               float* mean, float* rstd);

// dx += rstd·(d − mean(d) − x̂·mean(d·x̂)) with d = dy·weight, x̂ = (x − mean)·rstd; means over the columns.
void layerNormBackward(Stream stream, const Matrix& dy, const Matrix& x, const float* weight, const float* mean,
                       const float* rstd, const Matrix& dx);

}  // namespace studio::engine::kernels
