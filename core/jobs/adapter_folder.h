// PEFT folders and the engine: adapter_config.json + adapter_model.safetensors <-> the model's adapter.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/adapter_config.h"
#include "config/target_modules.h"
#include "engine/api/engine.h"

namespace studio::jobs {

// What the engine is told of a configuration that matchTargets has resolved.
engine::api::LoraSpec loraSpec(const std::vector<config::TargetModule>& targets, double dropout, std::uint64_t seed);

// Loads the adapter in `folder` onto the model that lies in `base_folder`. Returns its configuration.
Result<config::AdapterConfig> loadAdapterFolder(engine::api::Model& model, const std::filesystem::path& base_folder,
                                                const std::filesystem::path& folder);

}  // namespace studio::jobs
