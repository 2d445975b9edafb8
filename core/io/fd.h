// A file descriptor that closes itself, and the checked way to open a regular file for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>

#include "base/result.h"

namespace studio::io {

class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

struct RegularFile {
    Fd fd;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
};

// Opens `path` for reading if it is a regular file; never blocks on a pipe or touches a device. Follows links.
Result<RegularFile> openRegular(const std::filesystem::path& path);

// Up to into.size() bytes; fewer only at the end of the file. Repeats interrupted reads.
Result<std::size_t> readSome(int fd, std::span<char> into, const std::filesystem::path& path);

// Exactly into.size() bytes at `offset`, or an error: Corrupt if the file has become shorter.
Result<void> readExactly(int fd, std::span<std::byte> into, std::uint64_t offset, const std::filesystem::path& path);

}  // namespace studio::io
