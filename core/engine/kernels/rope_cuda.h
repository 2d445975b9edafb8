// Rotary position embedding in bf16; formula in rope.h.
#pragma once

#include "engine/kernels/rope.h"

namespace studio::engine::kernels::gpu {

// In place on x = [rows, heads·head_dim]; positions and table on the device.
void rotate(Stream stream, const Matrix& x, int heads, int head_dim, const RopeTable& table, const int* positions,
            bool inverse);

// out = [dq | dk | dv], dq and dk turned back. dq: [rows, q], dk, dv: [rows, kv], without gaps; widths, head_dim and
// table.half are multiples of 8.
void packGradients(Stream stream, const Matrix& dq, const Matrix& dk, const Matrix& dv, int head_dim,
                   const RopeTable& table, const int* positions, const Matrix& out);

}  // namespace studio::engine::kernels::gpu
