// All buffers of forward and backward in one piece of memory, laid out before the first step.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/kernels/memory.h"
#include "engine/model/block.h"
#include "engine/model/head.h"
#include "engine/model/phi_model.h"

namespace studio::engine {

// What a workspace depends on besides the limits.
struct WorkspaceShape {
    BlockShape block;
    int layers = 0, heads = 0;
    std::int64_t vocab = 0;
    std::size_t weight_floats = 0;  // of a group of linears that is expanded before use
    std::int64_t input_rank = 0, dense_rank = 0, fc2_rank = 0;
    int lowest = 0;          // when training: first layer whose activations backward needs
    bool recompute = false;  // keep only the residual stream between layers and compute the rest again in backward
};

struct Workspace {
    std::vector<kernels::Matrix> x;             // the residual stream: before each kept layer, and after the last
    std::vector<BlockActivations> activations;  // one for each kept layer, or one for all
    Scratch scratch;
    HeadBuffers head;
    kernels::Matrix g;  // gradient of the residual stream
    int lowest = 0;
    bool training = false, recompute = false;

    // Layers below the lowest adapted one work in place on x[0].
    const kernels::Matrix& input(int layer) const { return x[slot(layer)]; }
    const kernels::Matrix& output(int layer) const { return x[training && layer >= lowest ? slot(layer) + 1 : 0]; }
    const BlockActivations& of(int layer) const { return activations[recompute || !training ? 0 : slot(layer)]; }

    static Workspace layOut(kernels::Arena& arena, const WorkspaceShape& shape, const Limits& limits);

  private:
    std::size_t slot(int layer) const {
        return static_cast<std::size_t>(training && layer > lowest ? layer - lowest : 0);
    }
};

}  // namespace studio::engine
