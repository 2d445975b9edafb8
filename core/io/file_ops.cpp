#include "io/file_ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace studio::io {

int FileOps::open(const char* path, int flags, int mode) {
    return ::open(path, flags, mode);
}

ssize_t FileOps::write(int fd, const void* data, std::size_t size) {
    return ::write(fd, data, size);
}

int FileOps::fsync(int fd) {
    return ::fsync(fd);
}

int FileOps::rename(const char* from, const char* to) {
    return ::rename(from, to);
}

int FileOps::mkdir(const char* path, int mode) {
    return ::mkdir(path, static_cast<mode_t>(mode));
}

int FileOps::ftruncate(int fd, off_t size) {
    return ::ftruncate(fd, size);
}

int FileOps::remove(const char* path) {
    return std::remove(path);
}

std::shared_ptr<FileOps> realFileOps() {
    return std::make_shared<FileOps>();
}

}  // namespace studio::io
