// C = alpha · op(A) · op(B) + beta · C, all row-major, float32 accumulation.
#pragma once

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

enum class Op { Plain, Transposed };

// op(A) is [c.rows, k], op(B) is [k, c.cols]. With beta = 0, C need not be initialised. Empty products leave beta · C.
void gemm(Stream stream, Op op_a, Op op_b, float alpha, const Matrix& a, const Matrix& b, float beta, const Matrix& c);

}  // namespace studio::engine::kernels
