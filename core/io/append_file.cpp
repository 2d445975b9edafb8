#include "io/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "io/file.h"

namespace studio::io {

AppendFile::AppendFile(std::shared_ptr<FileOps> ops, std::filesystem::path path, Fd fd, std::uint64_t size)
    : ops_(std::move(ops)), path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

Result<AppendFile> AppendFile::open(std::shared_ptr<FileOps> ops, const std::filesystem::path& path,
                                    std::uint64_t keep) {
    Fd fd(ops->open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return fail(systemError(errno, "write", path));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return fail(systemError(errno, "write", path));
    if (!S_ISREG(info.st_mode)) {
        return fail(ErrorCode::InvalidArgument, path.string() + " is not a regular file.", "Remove it and try again.");
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    AppendFile file(std::move(ops), path, std::move(fd), std::min(size, keep));
    file.torn_ = size > keep;
    STUDIO_CHECK(file.cutTorn());
    return file;
}

Result<void> AppendFile::cutTorn() {
    if (!torn_) return {};
    if (ops_->ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) return fail(systemError(errno, "write", path_));
    torn_ = false;
    return {};
}

Result<void> AppendFile::append(std::string_view record) {
    STUDIO_CHECK(cutTorn());
    auto written = writeAll(*ops_, fd_.get(), record, path_);
    if (!written) {
        torn_ = true;
        static_cast<void>(cutTorn());  // tried again before the next record
        return written;
    }
    size_ += record.size();
    return {};
}

Result<void> AppendFile::sync() {
    STUDIO_CHECK(cutTorn());
    if (ops_->fsync(fd_.get()) != 0) return fail(systemError(errno, "write", path_));
    return {};
}

Result<void> truncateFile(FileOps& ops, const std::filesystem::path& path, std::uint64_t size) {
    const Fd fd(ops.open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0));
    if (!fd) return fail(systemError(errno, "write", path));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return fail(systemError(errno, "write", path));
    if (static_cast<std::uint64_t>(info.st_size) <= size) return {};
    if (ops.ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || ops.fsync(fd.get()) != 0)
        return fail(systemError(errno, "write", path));
    return {};
}

}  // namespace studio::io
