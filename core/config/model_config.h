// A phi model's config.json as transformers' PhiConfig reads it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace studio::config {

// How the linears of a checkpoint saved by bitsandbytes are stored.
struct StoredQuantisation {
    std::string quant_type = "nf4";
    bool double_quant = false;
    std::string compute_dtype = "float32";
    bool operator==(const StoredQuantisation&) const = default;
};

struct PhiConfig {
    int vocab_size = 51200;
    int hidden_size = 2048;
    int intermediate_size = 8192;
    int num_hidden_layers = 24;
    int num_attention_heads = 32;
    int num_key_value_heads = 32;  // fewer than heads: grouped-query attention; divides them
    int head_dim = 64;             // hidden_size / num_attention_heads
    int rotary_dim = 32;           // the first of head_dim; even; int(head_dim * partial_rotary_factor)
    int max_position_embeddings = 2048;
    double partial_rotary_factor = 0.5;
    double rope_theta = 10000;
    double layer_norm_eps = 1e-5;
    bool tie_word_embeddings = false;  // lm_head.weight is embed_tokens.weight; lm_head.bias is its own
    // Active in transformers' training mode, never in evaluation. Here only the recipe's resid_pdrop counts.
    double resid_pdrop = 0, embd_pdrop = 0, attention_dropout = 0;
    std::vector<int> bos_token_ids, eos_token_ids;  // empty where null
    std::string dtype;                              // "float16", …; empty where not said
    std::optional<StoredQuantisation> quantisation;
    std::string name_or_path;           // "_name_or_path", empty where not said
    std::vector<std::string> warnings;  // unknown keys and the like, as sentences

    int kvDim() const { return num_key_value_heads * head_dim; }
    bool operator==(const PhiConfig&) const = default;
};

// Fails for other architectures (naming model_type), the old phi-msft layout, rope scaling, qk_layernorm, activations
// other than gelu_new, numbers out of range or of the wrong type. Keys that are missing have PhiConfig's class
// defaults.
Result<PhiConfig> parsePhiConfig(std::string_view text, std::string_view name);

// `folder`/config.json.
Result<PhiConfig> readPhiConfig(const std::filesystem::path& folder);

struct LinearShape {
    std::string name;  // "model.layers.0.self_attn.q_proj"
    int in = 0, out = 0;
    bool operator==(const LinearShape&) const = default;
};

// The linears of all blocks (not lm_head), layer by layer: q_proj, k_proj, v_proj, dense, fc1, fc2.
std::vector<LinearShape> linears(const PhiConfig& config);
std::vector<std::string> linearNames(const PhiConfig& config);

// Parameters of the whole model, lm_head and embeddings included (a tied head counted once).
std::int64_t parameterCount(const PhiConfig& config);

}  // namespace studio::config
