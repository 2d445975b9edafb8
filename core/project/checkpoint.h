// Checkpoints: complete or invisible. checkpoint-N.tmp/ -> files, synced -> manifest.json last -> rename -> retention.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "io/file_ops.h"
#include "io/safetensors.h"

namespace studio::project {

struct CheckpointContent {
    std::int64_t step = 0;
    std::span<const io::TensorView> adapter;     // adapter_model.safetensors, metadata {"format": "pt"}
    std::span<const io::TensorView> optimizer;   // optimizer.safetensors
    std::string adapter_config;                  // adapter_config.json
    std::string trainer_state;                   // trainer_state.json
};

struct Retention {
    std::optional<std::int64_t> total_limit;   // save_total_limit; the last two are always kept
    std::int64_t best_step = -1;               // never deleted
};

// A sound checkpoint of the same step that is there already is kept where its bytes are the same, else replaced.
Result<std::filesystem::path> writeCheckpoint(io::FileOps& ops, const std::filesystem::path& run_folder,
                                              const CheckpointContent& content, const Retention& retention);

// Every file of the manifest is there with its size and sha256, and no other.
Result<void> verifyCheckpoint(const std::filesystem::path& checkpoint);

struct FoundCheckpoint {
    std::int64_t step = 0;
    std::filesystem::path folder;
};

struct CheckpointSearch {
    std::optional<FoundCheckpoint> newest;   // verified
    std::vector<std::string> notes;          // what was skipped and why, as sentences
};
// Newest first by step number, never by time.
CheckpointSearch newestCheckpoint(const std::filesystem::path& run_folder);

// checkpoint-N folders by step, verified or not.
std::vector<FoundCheckpoint> listCheckpoints(const std::filesystem::path& run_folder);

// Leftovers of a save that was cut off. Only while nobody else works in the folder.
void removeUnfinished(const std::filesystem::path& run_folder);

}  // namespace studio::project
