#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "io/file.h"
#include "project/checkpoint.h"
#include "project/checkpoint_folder.h"
#include "project/manifest.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

Result<Manifest> writeFiles(io::FileOps& ops, const fs::path& folder, const CheckpointContent& content) {
    STUDIO_CHECK(io::writeSafetensors(ops, folder / "adapter_model.safetensors", content.adapter, {{"format", "pt"}}));
    STUDIO_CHECK(io::writeFileSynced(ops, folder / "adapter_config.json", content.adapter_config));
    STUDIO_CHECK(io::writeSafetensors(ops, folder / "optimizer.safetensors", content.optimizer, {{"format", "pt"}}));
    STUDIO_CHECK(io::writeFileSynced(ops, folder / "trainer_state.json", content.trainer_state));
    Manifest manifest;
    manifest.step = content.step;
    manifest.about = content.about;
    STUDIO_TRY(manifest.files, describeFiles(folder, {"adapter_model.safetensors", "adapter_config.json",
                                                      "optimizer.safetensors", "trainer_state.json"}));
    STUDIO_TRY(const std::string text, formatManifest(manifest));
    STUDIO_CHECK(io::writeFileSynced(ops, folder / kManifestName, text));
    STUDIO_CHECK(io::syncFolder(ops, folder));
    return manifest;
}

bool isSoundAndEqual(const fs::path& existing, const Manifest& fresh) {
    const auto manifest = readManifest(existing);
    return manifest && manifest->files == fresh.files && manifest->step == fresh.step && verifyCheckpoint(existing);
}

// Puts the complete folder `fresh` in the place of checkpoint-N. If there is one already it steps aside as
// checkpoint-N.old, which counts as the checkpoint until the new one stands in its place.
Result<void> putInPlace(io::FileOps& ops, const fs::path& run_folder, const fs::path& fresh, const Manifest& manifest) {
    const fs::path place = checkpointPath(run_folder, manifest.step);
    const fs::path aside = checkpointPath(run_folder, manifest.step, FolderKind::Replaced);
    std::error_code error;
    const bool occupied = fs::exists(fs::symlink_status(place, error));
    if (occupied) {
        if (isSoundAndEqual(place, manifest)) {
            static_cast<void>(removeTree(ops, fresh));
            return {};
        }
        STUDIO_CHECK(removeTree(ops, aside));
        if (ops.rename(place.c_str(), aside.c_str()) != 0) return fail(io::systemError(errno, "rename", place));
    }
    if (ops.rename(fresh.c_str(), place.c_str()) != 0) {
        const Error failed = io::systemError(errno, "write", place);
        if (occupied) ops.rename(aside.c_str(), place.c_str());
        return fail(failed);
    }
    STUDIO_CHECK(io::syncFolder(ops, run_folder));
    if (occupied) static_cast<void>(removeTree(ops, aside));
    return {};
}

// Deletes what save_total_limit no longer covers. The best one and the two newest sound ones always stay, and without
// two sound ones nothing is deleted.
void applyRetention(io::FileOps& ops, const fs::path& run_folder, const Retention& retention) {
    if (!retention.total_limit) return;
    const std::vector<FoundCheckpoint> all = listCheckpoints(run_folder);
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(*retention.total_limit, 2));
    if (all.size() <= limit) return;
    std::size_t sound = 0, kept = 0;
    for (auto found = all.rbegin(); found != all.rend(); ++found) {
        if (sound < 2) {
            sound += verifyCheckpoint(found->folder).has_value();
            ++kept;
        } else if (found->step == retention.best_step || kept < limit) {
            ++kept;
        } else {
            static_cast<void>(removeCheckpoint(ops, run_folder, found->step));
        }
    }
}

}  // namespace

Result<fs::path> writeCheckpoint(io::FileOps& ops, const fs::path& run_folder, const CheckpointContent& content,
                                 const Retention& retention) {
    const fs::path fresh = checkpointPath(run_folder, content.step, FolderKind::Unfinished);
    STUDIO_CHECK(removeTree(ops, fresh));
    if (ops.mkdir(fresh.c_str(), 0755) != 0) return fail(io::systemError(errno, "create", fresh));
    auto manifest = writeFiles(ops, fresh, content);
    auto placed = manifest ? putInPlace(ops, run_folder, fresh, *manifest) : Result<void>(fail(manifest.error()));
    if (!placed) {
        static_cast<void>(removeTree(ops, fresh));  // gives a full disk its space back
        return fail(placed.error());
    }
    applyRetention(ops, run_folder, retention);
    return checkpointPath(run_folder, content.step);
}

}  // namespace studio::project
