// Ready recipes: resources/config/<name>/{qlora_config.json,training_config.yaml}.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/recipe.h"

namespace studio::config {

struct Preset {
    std::string name;  // the folder's
    std::filesystem::path training_config, qlora_config;
};

// Folders of `resources`/config that hold both files, by name.
Result<std::vector<Preset>> listPresets(const std::filesystem::path& resources);

// The same for the folders right below `folder`, such as a person's own presets.
Result<std::vector<Preset>> listPresetsIn(const std::filesystem::path& folder);

// Error names the presets there are.
Result<Recipe> loadPreset(const std::filesystem::path& resources, std::string_view name);

// Where a path written in a configuration leads: absolute as it is; else from the current directory; else from the
// configuration file's folder and each folder above it; else from the resources folder, whose own name may begin the
// path
// ("resources/demo/…"). The first that exists, made absolute. Error lists where was looked. `config_file` and
// `resources` may be empty.
Result<std::filesystem::path> resolveDataPath(std::string_view written, const std::filesystem::path& config_file,
                                              const std::filesystem::path& resources);

}  // namespace studio::config
