// One decoded token as one CUDA graph: four kernels a block, weights read once, adapter unmerged.
#pragma once

#include <span>

#include "engine/gpu/gpu_state.h"

namespace studio::engine::gpu {

// Whether the kernels take this model on this card: linears in NF4, rows of whole 256 weights, hidden_size up to 2,560.
bool tokenGraphFits(const GpuPhi::State& state);

// Computes one token behind the end of each cache and gives their logits, [vocab]; nothing is waited for between them.
// Where it is known how the token after it will be drawn, the card draws it and goes on, and the next call finds the
// work begun: what the host does between two tokens costs no time on the card. A wrong guess is computed again.
// A graph is recorded when cache, strength or adapter are new; values of the adapter may change in between. Sizes of
// the caches are left to the caller.
Result<void> runTokenGraphs(GpuPhi::State& state, std::span<const NextToken> next);

}  // namespace studio::engine::gpu
