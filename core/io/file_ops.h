// The system calls that decide whether a file survives a crash, behind one interface so that tests can fail or die at
// any of them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/result.h"

namespace studio::io {

// Semantics of the calls of the same name (-1 and errno on failure). The base class is the real thing.
class FileOps {
  public:
    virtual ~FileOps() = default;
    virtual int open(const char* path, int flags, int mode);
    virtual ssize_t write(int fd, const void* data, std::size_t size);
    virtual int fsync(int fd);
    virtual int rename(const char* from, const char* to);
};

// The real calls. Stateless.
std::shared_ptr<FileOps> realFileOps();

// For tests: counts the calls and, before or after the n-th one (1-based, all kinds together), kills the process with
// SIGKILL, or lets it fail with an errno once or for ever. `plan` reads "kill:before:7", "kill:after:7",
// "ENOSPC:once:3", "EIO:always:3". With a file to write to, `trace` gets one line a call ("7 fsync metrics.jsonl").
Result<std::shared_ptr<FileOps>> faultyFileOps(const std::string& plan, const std::filesystem::path& trace = {});

}  // namespace studio::io
