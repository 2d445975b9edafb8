// gelu_new in bf16; formula in gelu.h. cols is a multiple of 8.
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels::gpu {

void gelu(Stream stream, const Matrix& x, const Matrix& y);

// dx = dy·gelu'(x); dx may be x.
void geluBackward(Stream stream, const Matrix& dy, const Matrix& x, const Matrix& dx);

}  // namespace studio::engine::kernels::gpu
