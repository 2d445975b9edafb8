// The parts of a block's y and z.
#pragma once

#include "engine/gpu/block.h"

namespace studio::engine::gpu {

// Numbers of the two branches among the modules of a layer, after the six linears.
inline constexpr std::uint32_t kAttentionBranch = 6, kMlpBranch = 7;

struct Block::Columns {
    Columns(const BlockShape& shape, const Matrix& y, const Matrix& z)
        : q(y.columns(0, shape.q)),
          k(y.columns(shape.q, shape.kv)),
          v(y.columns(shape.q + shape.kv, shape.kv)),
          fc1(y.columns(shape.q + 2 * shape.kv, shape.intermediate)),
          attended(z.columns(0, shape.q)),
          activated(z.columns(shape.q, shape.intermediate)) {}
    Matrix q, k, v, fc1, attended, activated;
};

}  // namespace studio::engine::gpu
