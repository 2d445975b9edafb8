#include "config/presets.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/field.h"
#include "config/nearest.h"
#include "config/recipe_file.h"

namespace studio::config {
namespace fs = std::filesystem;

Result<std::vector<Preset>> listPresets(const fs::path& resources) {
    return listPresetsIn(resources / "config");
}

Result<std::vector<Preset>> listPresetsIn(const fs::path& folder) {
    std::error_code error;
    std::vector<Preset> presets;
    fs::directory_iterator it(folder, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) {
        std::error_code ignored;  // an entry that cannot be looked at is no preset
        Preset preset{it->path().filename().string(), it->path() / fileName(File::Training),
                      it->path() / fileName(File::Qlora)};
        if (fs::is_regular_file(preset.training_config, ignored) && fs::is_regular_file(preset.qlora_config, ignored))
            presets.push_back(std::move(preset));
    }
    if (error)
        return fail(ErrorCode::Io,
                    fmt::format("The presets in {} cannot be listed: {}.", folder.string(), error.message()),
                    "Check that the program's resources folder is complete.");
    std::sort(presets.begin(), presets.end(), [](const Preset& a, const Preset& b) { return a.name < b.name; });
    return presets;
}

Result<Recipe> loadPreset(const fs::path& resources, std::string_view name) {
    STUDIO_TRY(const std::vector<Preset> presets, listPresets(resources));
    std::vector<std::string_view> names;
    for (const Preset& preset : presets) {
        if (preset.name == name) return loadRecipe(preset.training_config, preset.qlora_config, {});
        names.push_back(preset.name);
    }
    return fail(ErrorCode::NotFound, fmt::format("There is no preset named {}.", name),
                names.empty() ? "There are none at all: the resources folder is incomplete."
                              : fmt::format("The presets are {}.", joined(names, "and")));
}

Result<fs::path> resolveDataPath(std::string_view written, const fs::path& config_file, const fs::path& resources) {
    if (written.empty()) return fail(ErrorCode::InvalidArgument, "A path is empty.", "Name a file or folder.");
    const fs::path path(written);
    std::error_code error;
    if (path.is_absolute()) {
        if (fs::exists(path, error)) return path;
        return fail(ErrorCode::NotFound, fmt::format("{} does not exist.", written), "Check the path.");
    }

    std::vector<fs::path> places{fs::current_path(error)};
    if (!config_file.empty()) {
        for (fs::path folder = fs::absolute(config_file, error).parent_path(); !folder.empty();
             folder = folder.parent_path()) {
            places.push_back(folder);
            if (folder == folder.root_path()) break;
        }
    }
    std::vector<fs::path> candidates;
    for (const fs::path& place : places) candidates.push_back(place / path);
    if (!resources.empty()) {
        candidates.push_back(resources / path);
        // An installed resources folder has another name than the one in the source tree.
        if (*path.begin() == "resources") candidates.push_back(resources / path.lexically_relative("resources"));
    }
    for (const fs::path& candidate : candidates)
        if (fs::exists(candidate, error)) return fs::absolute(candidate, error).lexically_normal();
    std::string looked = places.front().string();
    if (!config_file.empty()) looked += ", the folder of " + config_file.string() + " and those above it";
    if (!resources.empty()) looked += ", " + resources.string();
    return fail(ErrorCode::NotFound, fmt::format("{} does not exist. Looked in {}.", written, looked),
                "Check the path, or write it from the root.");
}

}  // namespace studio::config
