#include "io/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/file.h"

namespace studio::io {
namespace {

Result<void> checkRegular(const struct stat& info, const std::filesystem::path& path) {
    if (S_ISREG(info.st_mode)) return {};
    if (S_ISDIR(info.st_mode)) {
        return fail(ErrorCode::InvalidArgument, fmt::format("{} is a folder, not a file.", path.string()),
                    "Give a file inside it.");
    }
    const char* kind = S_ISFIFO(info.st_mode) ? "a pipe" : S_ISSOCK(info.st_mode) ? "a socket" : "a device";
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is {}, not a file.", path.string(), kind),
                "Save what it delivers to a file first.");
}

}  // namespace

Fd::~Fd() {
    if (fd_ >= 0) ::close(fd_);
}

Result<RegularFile> openRegular(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return fail(systemError(errno, "read", path));
    STUDIO_CHECK(checkRegular(info, path));
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return fail(systemError(errno, "read", path));
    // Again, on what was opened: the name may point elsewhere by now.
    if (::fstat(fd.get(), &info) != 0) return fail(systemError(errno, "read", path));
    STUDIO_CHECK(checkRegular(info, path));
    return RegularFile{std::move(fd), static_cast<std::uint64_t>(info.st_size),
                       static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Result<std::size_t> readSome(int fd, std::span<char> into, const std::filesystem::path& path) {
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t n = ::read(fd, into.data() + done, into.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(systemError(errno, "read", path));
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

Result<void> readExactly(int fd, std::span<std::byte> into, std::uint64_t offset, const std::filesystem::path& path) {
    constexpr std::size_t kMost = 1u << 30;  // one call takes at most 2 GiB - 4 KiB
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t n =
            ::pread(fd, into.data() + done, std::min(kMost, into.size() - done), static_cast<off_t>(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(systemError(errno, "read", path));
        if (n == 0) {
            return fail(
                ErrorCode::Corrupt,
                fmt::format("{} became shorter while it was read: byte {} is missing.", path.string(), offset + done),
                "Another program changed the file; wait for it, or copy the file again.");
        }
        done += static_cast<std::size_t>(n);
    }
    return {};
}

}  // namespace studio::io
