#include <fmt/format.h>

#include <algorithm>

#include "io/file.h"
#include "io/sha256.h"
#include "project/checkpoint.h"
#include "project/checkpoint_folder.h"
#include "project/manifest.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNeeded[] = {"adapter_model.safetensors", "adapter_config.json", "optimizer.safetensors",
                                   "trainer_state.json"};

Result<void> verifyFiles(const fs::path& checkpoint, const Manifest& manifest) {
    const auto damaged = [&](const std::string& file, const char* how) {
        return fail(ErrorCode::Corrupt, fmt::format("{} is damaged: {} {}.", checkpoint.string(), file, how),
                    "Use an older checkpoint, and check the disk.");
    };
    for (const char* name : kNeeded) {
        if (std::none_of(manifest.files.begin(), manifest.files.end(), [&](auto& file) { return file.name == name; }))
            return damaged(name, "is not in its manifest");
    }
    for (const ManifestFile& file : manifest.files) {  // sizes first: they cost nothing
        const auto size = io::regularFileSize(checkpoint / file.name);
        if (!size) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("{} is incomplete: {}", checkpoint.string(), size.error().message),
                        "Use an older checkpoint.");
        }
        if (*size != file.size) return damaged(file.name, "has another size than when it was written");
    }
    for (const ManifestFile& file : manifest.files) {
        STUDIO_TRY(const std::string hash, io::sha256File(checkpoint / file.name));
        if (hash != file.sha256) return damaged(file.name, "does not match its checksum");
    }
    return {};
}

// Of the folder itself, whatever it is called at the moment.
Result<void> verify(const CheckpointFolder& folder) {
    auto manifest = readManifest(folder.path);
    if (!manifest) {
        if (manifest.error().code != ErrorCode::NotFound) return fail(manifest.error());
        return fail(ErrorCode::Corrupt, fmt::format("{} is incomplete: it has no manifest.json.", folder.path.string()),
                    "Use an older checkpoint; this folder can be deleted.");
    }
    if (manifest->step != folder.step) {
        return fail(ErrorCode::Corrupt,
                    fmt::format("{} holds the checkpoint of step {}.", folder.path.string(), manifest->step),
                    "Give the folder its proper name again.");
    }
    return verifyFiles(folder.path, *manifest);
}

bool hasComplete(const std::vector<CheckpointFolder>& folders, std::int64_t step) {
    return std::any_of(folders.begin(), folders.end(),
                       [&](const CheckpointFolder& f) { return f.step == step && f.kind == FolderKind::Complete; });
}

}  // namespace

Result<void> verifyCheckpoint(const fs::path& checkpoint) {
    const fs::path path = checkpoint.has_filename() ? checkpoint : checkpoint.parent_path();  // "…/checkpoint-5/"
    std::error_code error;
    if (!fs::is_directory(path, error)) {
        return fail(ErrorCode::NotFound, fmt::format("There is no checkpoint folder {}.", path.string()),
                    "Choose one of the run's checkpoint folders, or \"latest\".");
    }
    auto manifest = readManifest(path);
    if (manifest && path.filename() != checkpointPath("", manifest->step).filename())
        return verifyFiles(path, *manifest);  // a copy under another name is as good
    return verify({manifest ? manifest->step : 0, FolderKind::Complete, path});
}

CheckpointSearch newestCheckpoint(const fs::path& run_folder) {
    CheckpointSearch search;
    const std::vector<CheckpointFolder> folders = checkpointFolders(run_folder);
    for (auto folder = folders.rbegin(); folder != folders.rend() && !search.newest; ++folder) {
        // A replaced one counts while its replacement has not taken its place.
        const bool candidate = folder->kind == FolderKind::Complete ||
                               (folder->kind == FolderKind::Replaced && !hasComplete(folders, folder->step));
        if (folder->kind == FolderKind::Unfinished)
            search.notes.push_back(
                fmt::format("{} was not finished and is left out; it can be deleted.", folder->path.string()));
        if (!candidate) continue;
        const auto sound = verify(*folder);
        if (sound)
            search.newest = FoundCheckpoint{folder->step, folder->path};
        else
            search.notes.push_back(sound.error().message);
    }
    if (search.newest && !search.notes.empty())
        search.notes.push_back(fmt::format("{} is used instead.", search.newest->folder.string()));
    return search;
}

std::vector<FoundCheckpoint> listCheckpoints(const fs::path& run_folder) {
    std::vector<FoundCheckpoint> list;
    for (const CheckpointFolder& folder : checkpointFolders(run_folder))
        if (folder.kind == FolderKind::Complete) list.push_back({folder.step, folder.path});
    return list;
}

void removeUnfinished(io::FileOps& ops, const fs::path& run_folder) {
    const std::vector<CheckpointFolder> folders = checkpointFolders(run_folder);
    for (const CheckpointFolder& folder : folders) {
        // What cannot be removed now is tried again next time; it is never mistaken for a checkpoint.
        if (folder.kind == FolderKind::Complete) continue;
        if (folder.kind == FolderKind::Replaced && !hasComplete(folders, folder.step)) {
            ops.rename(folder.path.c_str(), checkpointPath(run_folder, folder.step).c_str());
            continue;
        }
        static_cast<void>(removeTree(ops, folder.path));
    }
    static_cast<void>(io::syncFolder(ops, run_folder));
}

void removeUnfinished(const fs::path& run_folder) {
    io::FileOps ops;
    removeUnfinished(ops, run_folder);
}

Result<void> discardCheckpointsAfter(io::FileOps& ops, const fs::path& run_folder, std::int64_t step) {
    std::vector<FoundCheckpoint> all = listCheckpoints(run_folder);
    for (auto found = all.rbegin(); found != all.rend() && found->step > step; ++found)
        STUDIO_CHECK(removeCheckpoint(ops, run_folder, found->step));
    return io::syncFolder(ops, run_folder);
}

}  // namespace studio::project
