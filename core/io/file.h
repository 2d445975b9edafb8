// Bounded reads and writes that leave either the old file or the new one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_ops.h"

namespace studio::io {

// Error unless `path` is a regular file that can be read (a folder, a pipe, a device and a missing file each have their
// sentence). Symbolic links are followed; a loop is an error.
Result<std::uint64_t> regularFileSize(const std::filesystem::path& path);

// Whole file. Error if it is larger than `max_bytes`.
Result<std::string> readFile(const std::filesystem::path& path, std::uint64_t max_bytes);

// Writes `path`.tmp-<pid>, checks every write, fsync, rename, fsync of the folder. On any error the old file stays and
// the temporary is removed.
Result<void> writeFileAtomic(FileOps& ops, const std::filesystem::path& path, std::string_view bytes);
Result<void> writeFileAtomic(const std::filesystem::path& path, std::string_view bytes);

// write + fsync without rename, for files inside a folder that is itself renamed when complete.
Result<void> writeFileSynced(FileOps& ops, const std::filesystem::path& path, std::string_view bytes);
Result<void> syncFolder(FileOps& ops, const std::filesystem::path& folder);

// "No space left on device" and so on, as "The file X cannot be written: no space left on the disk."
Error systemError(int error_number, std::string_view what, const std::filesystem::path& path);

}  // namespace studio::io
