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
    std::span<const io::TensorView> adapter;    // adapter_model.safetensors, metadata {"format": "pt"}
    std::span<const io::TensorView> optimizer;  // optimizer.safetensors
    std::string adapter_config;                 // adapter_config.json
    std::string trainer_state;                  // trainer_state.json
    std::string about;  // a JSON object that manifest.json repeats (base, build, device), or empty
};

struct Retention {
    std::optional<std::int64_t> total_limit;  // save_total_limit; the last two are always kept
    std::int64_t best_step = -1;              // never deleted
};

// `content` complete on the disk as run_folder/checkpoint-N, or an error and everything as before. A sound checkpoint
// of the same step that is there already is kept where its bytes are the same, else replaced. Retention comes last: an
// older one that cannot be deleted is no error.
Result<std::filesystem::path> writeCheckpoint(io::FileOps& ops, const std::filesystem::path& run_folder,
                                              const CheckpointContent& content, const Retention& retention);

// Every file of the manifest is there with its size and sha256, and the manifest is whole itself. Files that it does
// not name are of no interest. Unsupported if a newer version of the program wrote it.
Result<void> verifyCheckpoint(const std::filesystem::path& checkpoint);

struct FoundCheckpoint {
    std::int64_t step = 0;
    std::filesystem::path folder;
};

struct CheckpointSearch {
    std::optional<FoundCheckpoint> newest;  // verified
    std::vector<std::string> notes;         // what was skipped and why, as sentences
};
// Newest first by step number, never by time.
CheckpointSearch newestCheckpoint(const std::filesystem::path& run_folder);

// checkpoint-N folders by step, verified or not.
std::vector<FoundCheckpoint> listCheckpoints(const std::filesystem::path& run_folder);

// Leftovers of a save or a deletion that was cut off go; a checkpoint whose replacement was cut off comes back. Only
// while nobody else works in the folder.
void removeUnfinished(const std::filesystem::path& run_folder);
void removeUnfinished(io::FileOps& ops, const std::filesystem::path& run_folder);

// Before a run continues from an older checkpoint: the later ones are of a course of the run that is given up. Call it
// before the log is cut back, so that no later checkpoint is ever without its metrics.
Result<void> discardCheckpointsAfter(io::FileOps& ops, const std::filesystem::path& run_folder, std::int64_t step);

}  // namespace studio::project
