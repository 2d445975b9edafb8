#include "project/checkpoint_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <tuple>

#include "io/file.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kSuffixes[] = {"", ".tmp", ".old", ".deleted"};  // by FolderKind

std::optional<CheckpointFolder> parse(const fs::path& path) {
    const std::string file_name = path.filename().string();
    std::string_view name = file_name;
    if (!name.starts_with(kPrefix)) return std::nullopt;
    name.remove_prefix(kPrefix.size());
    CheckpointFolder folder;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), folder.step);
    if (error != std::errc{} || name.front() == '-' || (name.front() == '0' && end != name.data() + 1))
        return std::nullopt;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    const auto* suffix = std::find(std::begin(kSuffixes), std::end(kSuffixes), name);
    if (suffix == std::end(kSuffixes)) return std::nullopt;
    folder.kind = static_cast<FolderKind>(suffix - std::begin(kSuffixes));
    folder.path = path;
    return folder;
}

}  // namespace

fs::path checkpointPath(const fs::path& run_folder, std::int64_t step, FolderKind kind) {
    return run_folder / fmt::format("{}{}{}", kPrefix, step, kSuffixes[static_cast<std::size_t>(kind)]);
}

std::vector<CheckpointFolder> checkpointFolders(const fs::path& run_folder) {
    std::vector<CheckpointFolder> folders;
    std::error_code error;
    for (fs::directory_iterator it(run_folder, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (auto folder = parse(it->path()); folder && it->is_directory(ignored)) folders.push_back(std::move(*folder));
    }
    std::sort(folders.begin(), folders.end(), [](const CheckpointFolder& a, const CheckpointFolder& b) {
        return std::tie(a.step, a.kind) < std::tie(b.step, b.kind);
    });
    return folders;
}

Result<void> removeTree(io::FileOps& ops, const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (status.type() == fs::file_type::not_found) return {};
    if (fs::is_directory(status)) {
        std::vector<fs::path> inside;
        for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
            inside.push_back(it->path());
        if (error) return fail(io::systemError(error.value(), "remove", path));
        std::sort(inside.begin(), inside.end());
        for (const fs::path& entry : inside) STUDIO_CHECK(removeTree(ops, entry));
    }
    if (ops.remove(path.c_str()) != 0) return fail(io::systemError(errno, "remove", path));
    return {};
}

Result<void> removeCheckpoint(io::FileOps& ops, const fs::path& run_folder, std::int64_t step) {
    const fs::path path = checkpointPath(run_folder, step);
    const fs::path doomed = checkpointPath(run_folder, step, FolderKind::Deleted);
    STUDIO_CHECK(removeTree(ops, doomed));
    if (ops.rename(path.c_str(), doomed.c_str()) != 0) return fail(io::systemError(errno, "remove", path));
    return removeTree(ops, doomed);
}

}  // namespace studio::project
