// A lock file that its owner's death releases (a lock of the open file description), with the owner's pid inside for
// messages. The file itself stays.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace studio::io {

class FileLock {
  public:
    // Busy, naming the pid that holds it, if somebody does (another part of this process counts).
    static Result<FileLock> tryLock(const std::filesystem::path& path);
    // Asks without taking it, so that asking never makes somebody else's tryLock fail.
    static bool isHeld(const std::filesystem::path& path);
    FileLock(FileLock&&) noexcept;
    FileLock& operator=(FileLock&&) noexcept;
    ~FileLock();

  private:
    explicit FileLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace studio::io
