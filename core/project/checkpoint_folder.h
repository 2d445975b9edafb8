// The names of checkpoint folders, complete and not, and their removal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_ops.h"

namespace studio::project {

enum class FolderKind {
    Complete,    // checkpoint-N
    Unfinished,  // checkpoint-N.tmp: being written
    Replaced,    // checkpoint-N.old: complete, making room for a new one of the same step
    Deleted,     // checkpoint-N.deleted: being removed
};

struct CheckpointFolder {
    std::int64_t step = 0;
    FolderKind kind = FolderKind::Complete;
    std::filesystem::path path;
};

std::filesystem::path checkpointPath(const std::filesystem::path& run_folder, std::int64_t step,
                                     FolderKind kind = FolderKind::Complete);

// By step, then kind. Other names, "checkpoint-007" among them, are of no interest.
std::vector<CheckpointFolder> checkpointFolders(const std::filesystem::path& run_folder);

// A folder with everything in it; links are removed, not followed.
Result<void> removeTree(io::FileOps& ops, const std::filesystem::path& path);

// A complete checkpoint vanishes in one step (renamed to Deleted), then its files go.
Result<void> removeCheckpoint(io::FileOps& ops, const std::filesystem::path& run_folder, std::int64_t step);

}  // namespace studio::project
