// How much of a GPU's memory a training run will take, before anything is loaded.
#pragma once

#include "config/model_config.h"
#include "engine/api/types.h"
#include "engine/gpu/workspace.h"

namespace studio::engine::gpu {

struct PlanRequest {
    bool load_in_4bit = true, double_quant = true;
    Limits limits;                     // of the longest micro-batch; limits.memory: the mode, or Auto
    bool equal_length = false;         // conversations of one length, which cuDNN computes
    std::uint64_t available = 0;       // of the card; 0: plenty
    std::uint64_t host_available = 0;  // of the computer's own memory; 0: plenty
};

// Peak by component: the same layout code that a run uses, and the sizes of what LibTorch allocates for attention. The
// CUDA context, about half a gigabyte, is not in it.
Result<api::MemoryUse> planMemory(const config::PhiConfig& config, const api::LoraSpec& spec,
                                  const PlanRequest& request);

// Bytes of the frozen weights on the card. A checkpoint that is stored in 4 bits stays as it is stored.
std::uint64_t weightBytes(const config::PhiConfig& config, bool load_in_4bit, bool double_quant);

// The first mode that fits, as a run chooses it; shape.mode and shape.recomputed are set.
void chooseMode(WorkspaceShape& shape, const Limits& limits, std::uint64_t available);

const char* nameOf(MemoryMode mode);

}  // namespace studio::engine::gpu
