#include "cli/input.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "base/job.h"

namespace studio::cli {
namespace {

constexpr int kLookEvery = 100;  // ms
constexpr std::size_t kLongest = std::size_t{1} << 30;

}  // namespace

Result<bool> Input::more() {
    for (;;) {
        if (stop_.stop_requested()) return cancelled();
        pollfd wait{STDIN_FILENO, POLLIN, 0};
        const int ready = poll(&wait, 1, kLookEvery);
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        char bytes[1 << 16];
        const ssize_t n = ready < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(ErrorCode::Io, "The standard input cannot be read.", "Name a file or a text instead.");
        if (n == 0) return false;
        buffer_.append(bytes, static_cast<std::size_t>(n));
        if (buffer_.size() > kLongest)
            return fail(ErrorCode::OutOfRange, "The standard input is longer than 1 GiB.", "Give it in parts.");
        return true;
    }
}

Result<std::optional<std::string>> Input::line() {
    for (;;) {
        if (const auto end = buffer_.find('\n'); end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return line;
        }
        STUDIO_TRY(const bool has_more, more());
        if (has_more) continue;
        if (buffer_.empty()) return std::nullopt;
        return std::exchange(buffer_, {});
    }
}

Result<std::string> Input::all() {
    for (;;) {
        STUDIO_TRY(const bool has_more, more());
        if (!has_more) return std::exchange(buffer_, {});
    }
}

}  // namespace studio::cli
