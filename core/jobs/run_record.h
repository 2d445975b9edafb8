// What run.json says about a run besides its state: the frozen recipe, the data, the base, the machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/recipe.h"
#include "dataset/prepared.h"
#include "engine/api/types.h"
#include "io/json.h"

namespace studio::jobs {

struct RunRecord {
    config::Recipe recipe;
    std::filesystem::path base_folder;        // absolute
    std::filesystem::path adapter_folder;     // the adapter it started from; empty: a fresh one
    std::vector<std::filesystem::path> data;  // absolute, as resolved
    dataset::Provenance provenance;
    std::string base_hash;  // of config.json and the weights' headers
    std::int64_t total_steps = 0;
    std::int64_t train_examples = 0, validation_examples = 0;
    std::int64_t trainable_parameters = 0;
    std::string build;  // version of the program and of the engine's library
    engine::api::DeviceInfo device;
};

io::Json toJson(const RunRecord& record);
Result<RunRecord> runRecord(const io::Json& json);

// SHA-256 over config.json, the header of every weight file (names, types, shapes, sizes) and the first 4 KB of every
// tensor: tells bases apart, fine-tuned ones too, without reading gigabytes.
Result<std::string> baseHash(const std::filesystem::path& folder);

// Whether a run recorded as `before` can be continued as `now`. An error where the numbers would change (data, recipe,
// base); `notices` gets what only makes the continuation inexact (another build, device or thread count).
Result<void> checkResume(const RunRecord& before, const RunRecord& now, std::vector<std::string>& notices);

}  // namespace studio::jobs
