// One decoded token as one CUDA graph: four kernels a block, weights read once, adapter unmerged.
#pragma once

#include <span>

#include "engine/gpu/gpu_state.h"

namespace studio::engine::gpu {

// Whether the kernels take this model on this card: linears in NF4, rows of whole 256 weights, hidden_size up to 2,560.
bool tokenGraphFits(const GpuPhi::State& state);

// Appends `token` at the end of the cache and gives its logits, [vocab]. The graph is recorded when cache, strength or
// adapter are new; values of the adapter may change in between.
Result<void> runTokenGraph(GpuPhi::State& state, GpuKvCache& cache, int token, float strength, std::span<float> logits);

}  // namespace studio::engine::gpu
