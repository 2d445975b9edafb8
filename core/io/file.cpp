#include "io/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace studio::io {
namespace {

struct Reason {
    ErrorCode code;
    std::string text, hint;
};

Reason reasonOf(int error_number) {
    switch (error_number) {
        case ENOENT:
            return {ErrorCode::NotFound, "it does not exist", "Check the name and the folder."};
        case EACCES:
        case EPERM:
            return {ErrorCode::Io, "permission denied", "Change its permissions, or choose another folder."};
        case ENOSPC:
            return {ErrorCode::Io, "no space left on the disk", "Free some space, or choose another folder."};
        case EDQUOT:
            return {ErrorCode::Io, "the disk quota is used up", "Free some space, or choose another folder."};
        case EROFS:
            return {ErrorCode::Io, "the disk is mounted read-only", "Choose a folder that can be written."};
        case EIO:
            return {ErrorCode::Io, "the disk reports an input/output error",
                    "Check that the disk is still connected and healthy, and copy what matters elsewhere."};
        case ELOOP:
            return {ErrorCode::InvalidArgument, "its symbolic links form a loop", "Give the file itself."};
        case ENOTDIR:
            return {ErrorCode::InvalidArgument, "a part of its path is not a folder", "Check the path."};
        case ENAMETOOLONG:
            return {ErrorCode::InvalidArgument, "its name is too long", "Choose a shorter name."};
        case EISDIR:
            return {ErrorCode::InvalidArgument, "it is a folder", "Give a file."};
        case EMFILE:
        case ENFILE:
            return {ErrorCode::Io, "too many files are open", "Close other programs and try again."};
        case EEXIST:
        case ENOTEMPTY:
            return {ErrorCode::AlreadyExists, "it exists already", "Choose another name, or remove it first."};
        case EBUSY:
            return {ErrorCode::Busy, "it is in use", "Close the program that uses it and try again."};
        default:
            return {ErrorCode::Io, std::strerror(error_number), "Check the disk and the folder, then try again."};
    }
}

std::string_view participle(std::string_view what) {
    if (what == "write") return "written";
    if (what == "create") return "created";
    if (what == "rename") return "renamed";
    if (what == "remove") return "removed";
    if (what == "lock") return "locked";
    if (what == "open") return "opened";
    return "read";
}

std::filesystem::path folderOf(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

Error systemError(int error_number, std::string_view what, const std::filesystem::path& path) {
    Reason reason = reasonOf(error_number);
    return {reason.code, fmt::format("{} cannot be {}: {}.", path.string(), participle(what), reason.text),
            std::move(reason.hint)};
}

Result<std::uint64_t> regularFileSize(const std::filesystem::path& path) {
    STUDIO_TRY(const RegularFile file, openRegular(path));
    return file.size;
}

Result<std::string> readFile(const std::filesystem::path& path, std::uint64_t max_bytes) {
    STUDIO_TRY(const RegularFile file, openRegular(path));
    const auto too_large = [&](std::uint64_t size) {
        return fail(ErrorCode::OutOfRange,
                    fmt::format("{} has {} bytes; at most {} are read.", path.string(), size, max_bytes),
                    "Check that this is the file you meant.");
    };
    if (file.size > max_bytes) return too_large(file.size);
    // One byte more than it should have: what grew meanwhile is noticed, and files of the kernel say size 0.
    std::string bytes;
    std::size_t done = 0, want = static_cast<std::size_t>(std::min(max_bytes, file.size)) + 1;
    for (;;) {
        bytes.resize(want);
        STUDIO_TRY(const std::size_t n, readSome(file.fd.get(), {bytes.data() + done, want - done}, path));
        done += n;
        if (done > max_bytes) return too_large(done);
        if (done < want) break;
        want =
            static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes + 1, std::max<std::uint64_t>(want * 2, 4096)));
    }
    bytes.resize(done);
    if (done < file.size) {
        return fail(ErrorCode::Corrupt, fmt::format("{} became shorter while it was read.", path.string()),
                    "Another program changed the file; wait for it and try again.");
    }
    return bytes;
}

Result<void> writeAll(FileOps& ops, int fd, std::string_view bytes, const std::filesystem::path& path) {
    constexpr std::size_t kMost = 64u << 20;
    while (!bytes.empty()) {
        const ssize_t n = ops.write(fd, bytes.data(), std::min(bytes.size(), kMost));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(systemError(n < 0 ? errno : EIO, "write", path));
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

AtomicFile::AtomicFile(FileOps& ops, std::filesystem::path path, std::filesystem::path temporary, Fd fd)
    : ops_(&ops), path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : ops_(other.ops_),
      path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::move(other.fd_)) {
    other.temporary_.clear();
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) ops_->remove(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(FileOps& ops, const std::filesystem::path& path) {
    std::filesystem::path temporary = path;
    temporary += fmt::format(".tmp-{}", ::getpid());
    Fd fd(ops.open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return fail(systemError(errno, "write", path));
    return AtomicFile(ops, path, std::move(temporary), std::move(fd));
}

Result<void> AtomicFile::write(std::string_view bytes) {
    return writeAll(*ops_, fd_.get(), bytes, path_);
}

Result<void> AtomicFile::commit() {
    if (ops_->fsync(fd_.get()) != 0) return fail(systemError(errno, "write", path_));
    if (::close(fd_.release()) != 0) return fail(systemError(errno, "write", path_));
    if (ops_->rename(temporary_.c_str(), path_.c_str()) != 0) return fail(systemError(errno, "write", path_));
    temporary_.clear();
    return syncFolder(*ops_, folderOf(path_));
}

Result<void> writeFileAtomic(FileOps& ops, const std::filesystem::path& path, std::string_view bytes) {
    STUDIO_TRY(AtomicFile file, AtomicFile::create(ops, path));
    STUDIO_CHECK(file.write(bytes));
    return file.commit();
}

Result<void> writeFileAtomic(const std::filesystem::path& path, std::string_view bytes) {
    FileOps ops;
    return writeFileAtomic(ops, path, bytes);
}

Result<void> writeFileSynced(FileOps& ops, const std::filesystem::path& path, std::string_view bytes) {
    Fd fd(ops.open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd) return fail(systemError(errno, "write", path));
    STUDIO_CHECK(writeAll(ops, fd.get(), bytes, path));
    if (ops.fsync(fd.get()) != 0) return fail(systemError(errno, "write", path));
    if (::close(fd.release()) != 0) return fail(systemError(errno, "write", path));
    return {};
}

Result<void> syncFolder(FileOps& ops, const std::filesystem::path& folder) {
    const Fd fd(ops.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    if (!fd) return fail(systemError(errno, "open", folder));
    // Some file systems cannot sync a folder and say EINVAL; there is nothing more to be done there.
    if (ops.fsync(fd.get()) != 0 && errno != EINVAL) return fail(systemError(errno, "write", folder));
    return {};
}

}  // namespace studio::io
