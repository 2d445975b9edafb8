// What a phi checkpoint must hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model_config.h"
#include "io/safetensors.h"

namespace studio::engine {

struct ExpectedTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    bool linear = false;  // the weight of a block's linear, which may also be stored in 4 bits
};

// embed_tokens, each layer's norm and linears with biases, final_layernorm, lm_head (its weight not where it is tied).
std::vector<ExpectedTensor> expectedTensors(const config::PhiConfig& config);

// Error naming the first tensor that is missing, misshapen, of a type that is not F32, F16 or BF16, or that no phi
// model has (rotary_emb.inv_freq of old checkpoints is let through).
Result<void> checkTensors(const config::PhiConfig& config, const io::SafetensorsFolder& folder);

}  // namespace studio::engine
