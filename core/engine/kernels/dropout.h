// Inverted dropout whose mask is a function of where it is used, never of what was drawn before.
#pragma once

#include <cstdint>

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

struct DropoutKey {
    std::uint64_t seed = 0, step = 0;
    std::uint32_t micro_batch = 0, layer = 0, module = 0;
};

// out = mask ∘ in / (1 − p), or out += with `accumulate`. Element (row, column) is dropped where 16 bits of
// Philox4x32-10(key: seed; counter: element, step, micro-batch, layer, module) are below p·65,536, rounded; the scale
// uses the rounded p. out may be in.
void dropout(Stream stream, const Matrix& in, double p, const DropoutKey& key, bool accumulate, const Matrix& out);

}  // namespace studio::engine::kernels
