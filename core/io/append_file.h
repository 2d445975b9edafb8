// A file that grows by whole records: after a failed write the record is either there or not, never half.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "io/fd.h"
#include "io/file_ops.h"

namespace studio::io {

class AppendFile {
  public:
    // Opens or creates `path`. What it holds is cut to its first `keep` bytes (for a torn last record).
    static Result<AppendFile> open(std::shared_ptr<FileOps> ops, const std::filesystem::path& path,
                                   std::uint64_t keep = ~std::uint64_t{0});

    // The whole record reaches the operating system, or an error and the file is as before (or becomes so before the
    // next record, if even that fails). Survives the process; sync() makes it survive the machine.
    Result<void> append(std::string_view record);
    Result<void> sync();
    std::uint64_t size() const { return size_; }

  private:
    AppendFile(std::shared_ptr<FileOps> ops, std::filesystem::path path, Fd fd, std::uint64_t size);
    Result<void> cutTorn();

    std::shared_ptr<FileOps> ops_;
    std::filesystem::path path_;
    Fd fd_;
    std::uint64_t size_ = 0;
    bool torn_ = false;
};

// Cuts the file to `size` bytes and syncs it. Nothing happens if it is that short already.
Result<void> truncateFile(FileOps& ops, const std::filesystem::path& path, std::uint64_t size);

}  // namespace studio::io
