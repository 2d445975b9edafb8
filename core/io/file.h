// Bounded reads and writes that leave either the old file or the new one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/fd.h"
#include "io/file_ops.h"

namespace studio::io {

// Error unless `path` is a regular file that can be read (a folder, a pipe, a device and a missing file each have their
// sentence). Symbolic links are followed; a loop is an error.
Result<std::uint64_t> regularFileSize(const std::filesystem::path& path);

// Whole file. Error if it is larger than `max_bytes`.
Result<std::string> readFile(const std::filesystem::path& path, std::uint64_t max_bytes);

// A file that appears only when it is complete: written as `path`.tmp-<pid>, and on commit() synced, renamed and its
// folder synced. Without commit() the temporary is removed and the old file stays.
class AtomicFile {
  public:
    static Result<AtomicFile> create(FileOps& ops, const std::filesystem::path& path);
    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    ~AtomicFile();
    Result<void> write(std::string_view bytes);
    Result<void> commit();

  private:
    AtomicFile(FileOps& ops, std::filesystem::path path, std::filesystem::path temporary, Fd fd);
    FileOps* ops_;
    std::filesystem::path path_, temporary_;
    Fd fd_;
};

// The same for bytes at hand.
Result<void> writeFileAtomic(FileOps& ops, const std::filesystem::path& path, std::string_view bytes);
Result<void> writeFileAtomic(const std::filesystem::path& path, std::string_view bytes);

// write + fsync without rename, for files inside a folder that is itself renamed when complete.
Result<void> writeFileSynced(FileOps& ops, const std::filesystem::path& path, std::string_view bytes);
Result<void> syncFolder(FileOps& ops, const std::filesystem::path& folder);

// Every byte, however many calls that takes; an error after the first that fails. `path` is for the message.
Result<void> writeAll(FileOps& ops, int fd, std::string_view bytes, const std::filesystem::path& path);

// "No space left on device" and so on, as "The file X cannot be written: no space left on the disk." `what` is "read",
// "write", "create", "rename", "remove", "lock" or "open".
Error systemError(int error_number, std::string_view what, const std::filesystem::path& path);

}  // namespace studio::io
