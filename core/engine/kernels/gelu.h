// gelu_new, the tanh form: y = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), computed as x·σ(2√(2/π)·(x + 0.044715·x³)).
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

void gelu(Stream stream, const Matrix& x, const Matrix& y);

// dx = dy·gelu'(x); dx may be x.
void geluBackward(Stream stream, const Matrix& dy, const Matrix& x, const Matrix& dx);

}  // namespace studio::engine::kernels
