// Small phi models from a formula, as Hugging Face folders: tests/reference/make_phi_golden.py has the same formula, so
// nothing has to be stored. Linears are six times and embeddings twenty-five times larger than phi's initialisation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace studio::test {

struct TinyPhi {
    int vocab = 256, hidden = 160, intermediate = 256, layers = 2, heads = 2, kv_heads = 2, context = 256;
    double partial_rotary_factor = 0.4;
    std::string dtype = "F16";  // of the checkpoint: F16, BF16 (rounded towards zero) or F32
    bool tied = false;          // no lm_head.weight

    static TinyPhi mha() { return {}; }
    // Head dimension 20, rows of 120 weights (blocks of 64 straddle them), three query heads a key head.
    static TinyPhi gqa() { return {131, 120, 200, 3, 6, 2, 96, 0.4, "F16", false}; }
};

// Of the element of a tensor; LoRA tensors by PEFT's names.
float tinyValue(const std::string& tensor, std::uint64_t element);

// One tensor of a checkpoint that is to be written; `change` may alter or drop (clear the name of) any before writing.
struct TinyTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};
using ChangeTensor = std::function<void(TinyTensor&)>;

// Writes config.json and model.safetensors into `folder`, which exists.
Result<void> writeTinyPhi(const std::filesystem::path& folder, const TinyPhi& model, const ChangeTensor& change = {});

}  // namespace studio::test
