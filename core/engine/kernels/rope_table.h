// Cosines and sines of every position, computed as transformers computes them so that angles agree to the last bit.
#pragma once

#include "base/result.h"
#include "engine/kernels/memory.h"
#include "engine/kernels/rope.h"

namespace studio::engine::kernels {

// inv_freq[j] = 1 / theta^(2j / rotary_dim) and the angle position·inv_freq[j], all in float32.
class RotaryEmbedding {
  public:
    static Result<RotaryEmbedding> make(int positions, int rotary_dim, double theta);
    const RopeTable& table() const { return table_; }
    std::size_t bytes() const { return memory_.bytes(); }

  private:
    Buffer memory_;
    RopeTable table_;
};

}  // namespace studio::engine::kernels
