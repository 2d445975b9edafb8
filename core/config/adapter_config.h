// PEFT's adapter_config.json: read as PEFT reads it, written byte for byte as PEFT 0.21 writes it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/recipe.h"

namespace studio::config {

struct AdapterConfig {
    QloraConfig lora;  // r, lora_alpha, … ; the bnb_4bit fields mean nothing here
    std::optional<std::string> base_model_name_or_path;
    std::optional<std::string> revision;
    std::optional<std::string> task_type = "CAUSAL_LM";
    bool inference_mode = true;
    std::string peft_version = "0.21.2";  // whose layout the file has
    std::vector<std::string> warnings;    // unknown keys and the like, as sentences; not written

    bool operator==(const AdapterConfig&) const = default;
};

// Fails for what this program does not do and must not ignore (use_dora, fan_in_fan_out, modules_to_save, lora_bias,
// bias other than none, layer_replication, …), each with its reason; for another peft_type; for r < 1 and other bad
// numbers.
Result<AdapterConfig> parseAdapterConfig(std::string_view text, std::string_view name);

// `folder`/adapter_config.json. A folder with only adapter_model.bin, or without a configuration, is an error that says
// so.
Result<AdapterConfig> readAdapterConfig(const std::filesystem::path& folder);

// indent 2, keys sorted, no newline at the end: json.dumps(…, indent=2, sort_keys=True).
std::string formatAdapterConfig(const AdapterConfig& config);

}  // namespace studio::config
