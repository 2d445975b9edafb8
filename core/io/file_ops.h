// The system calls that decide whether a file survives a crash, behind one interface so that tests can fail or die at
// any of them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

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
    virtual int mkdir(const char* path, int mode);
    virtual int ftruncate(int fd, off_t size);
    virtual int remove(const char* path);  // a file or an empty folder
};

// The real calls. Stateless.
std::shared_ptr<FileOps> realFileOps();

// For tests: counts the calls and, before or after the n-th one (1-based, all kinds together), kills the process with
// SIGKILL, or lets it fail with an errno once or for ever. `plan` reads "kill:before:7", "kill:after:7",
// "kill:during:7" (a write stops half-way, any other call as before), "ENOSPC:once:3", "EIO:always:3", "short:once:3"
// (a write takes only half of its bytes), or "count" (nothing fails). Also EACCES, EDQUOT, EROFS, EINTR. With a file to
// write to, `trace` gets one line a call ("7 fsync metrics.jsonl").
Result<std::shared_ptr<FileOps>> faultyFileOps(const std::string& plan, const std::filesystem::path& trace = {});

}  // namespace studio::io
