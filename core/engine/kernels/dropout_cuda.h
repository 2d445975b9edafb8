// Dropout with the CPU's masks, bit for bit; see dropout.h. bf16, cols a multiple of 8.
#pragma once

#include "engine/kernels/dropout.h"

namespace studio::engine::kernels::gpu {

void dropout(Stream stream, const Matrix& in, double p, const DropoutKey& key, bool accumulate, const Matrix& out);

}  // namespace studio::engine::kernels::gpu
