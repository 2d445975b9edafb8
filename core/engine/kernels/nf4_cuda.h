// NF4 on the GPU: quantising as the CPU does, code for code, and expanding into bf16 right before a product.
#pragma once

#include <cstdint>

#include "engine/kernels/nf4.h"

namespace studio::engine::kernels::gpu {

// out = bf16(code · scale) of the part of the weights that begins at (row, column) and is as large as `out`. `weights`
// has device pointers. `column`, cols of both, out.ld and out's first column are multiples of 8. (T. Dettmers et al.,
// "QLoRA", 2023; arithmetic of bitsandbytes: the product in float32, then rounded.)
void expandNf4(Stream stream, const Nf4View& weights, std::int64_t row, std::int64_t column, const Matrix& out);

// Codes and absmax of `values` (any element type, rows without gaps) in blocks of 64, as quantiseNf4 of engine/quant:
// the nearest code to value·(1/absmax), the lower one at a tie. A value that is not finite sets *bad.
void quantiseNf4(Stream stream, const Matrix& values, std::uint8_t* codes, float* absmax, int* bad);

// out = values as bf16, both without gaps or with; a value that is not finite sets *bad.
void convert(Stream stream, const Matrix& values, const Matrix& out, int* bad);

}  // namespace studio::engine::kernels::gpu
