// A lock file that its owner's death releases (flock), with the owner's pid inside for messages.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace studio::io {

class FileLock {
  public:
    // Busy, naming the pid that holds it, if somebody does.
    static Result<FileLock> tryLock(const std::filesystem::path& path);
    static bool isHeld(const std::filesystem::path& path);
    FileLock(FileLock&&) noexcept;
    FileLock& operator=(FileLock&&) noexcept;
    ~FileLock();

  private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace studio::io
