#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>

#include "io/file_ops.h"

namespace studio::io {
namespace {

enum class Fault { None, KillBefore, KillAfter, KillDuring, FailOnce, FailAlways, ShortOnce, ShortAlways };

struct Plan {
    Fault fault = Fault::None;
    long at = 0;
    int error = 0;
};

std::optional<int> errorNumber(std::string_view name) {
    static constexpr struct {
        std::string_view name;
        int number;
    } kErrors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},     {"EACCES", EACCES},
                   {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EINTR", EINTR}};
    for (const auto& e : kErrors)
        if (e.name == name) return e.number;
    return std::nullopt;
}

std::optional<Plan> parsePlan(std::string_view text) {
    if (text == "count") return Plan{};
    const auto first = text.find(':');
    const auto second = first == text.npos ? text.npos : text.find(':', first + 1);
    if (second == text.npos) return std::nullopt;
    const auto what = text.substr(0, first), when = text.substr(first + 1, second - first - 1);
    const auto number = text.substr(second + 1);
    Plan plan;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), plan.at);
    if (error != std::errc{} || end != number.data() + number.size() || plan.at < 1) return std::nullopt;
    if (what == "kill") {
        if (when == "before")
            plan.fault = Fault::KillBefore;
        else if (when == "after")
            plan.fault = Fault::KillAfter;
        else if (when == "during")
            plan.fault = Fault::KillDuring;
        else
            return std::nullopt;
        return plan;
    }
    if (when != "once" && when != "always") return std::nullopt;
    const bool once = when == "once";
    if (what == "short") {
        plan.fault = once ? Fault::ShortOnce : Fault::ShortAlways;
        return plan;
    }
    const auto errno_value = errorNumber(what);
    if (!errno_value) return std::nullopt;
    plan.fault = once ? Fault::FailOnce : Fault::FailAlways;
    plan.error = *errno_value;
    return plan;
}

[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

class FaultyFileOps final : public FileOps {
  public:
    FaultyFileOps(Plan plan, int trace) : plan_(plan), trace_(trace) {}
    ~FaultyFileOps() override {
        if (trace_ >= 0) ::close(trace_);
    }

    int open(const char* path, int flags, int mode) override {
        const std::lock_guard lock(mutex_);
        const int fd = guarded("open", path, -1, [&] { return FileOps::open(path, flags, mode); });
        if (fd >= 0) names_[fd] = path;
        return fd;
    }
    ssize_t write(int fd, const void* data, std::size_t size) override {
        const std::lock_guard lock(mutex_);
        const long next = count_ + 1;
        const bool cut = (plan_.fault == Fault::ShortOnce && next == plan_.at) ||
                         (plan_.fault == Fault::ShortAlways && next >= plan_.at);
        if (plan_.fault == Fault::KillDuring && next == plan_.at) {
            enter("write", names_[fd]);
            if (FileOps::write(fd, data, size / 2) < 0) die();
            die();
        }
        return guarded<ssize_t>("write", names_[fd], -1,
                                [&] { return FileOps::write(fd, data, cut && size > 1 ? size / 2 : size); });
    }
    int fsync(int fd) override {
        const std::lock_guard lock(mutex_);
        return guarded("fsync", names_[fd], -1, [&] { return FileOps::fsync(fd); });
    }
    int rename(const char* from, const char* to) override {
        const std::lock_guard lock(mutex_);
        return guarded("rename", to, -1, [&] { return FileOps::rename(from, to); });
    }
    int mkdir(const char* path, int mode) override {
        const std::lock_guard lock(mutex_);
        return guarded("mkdir", path, -1, [&] { return FileOps::mkdir(path, mode); });
    }
    int ftruncate(int fd, off_t size) override {
        const std::lock_guard lock(mutex_);
        return guarded("ftruncate", names_[fd], -1, [&] { return FileOps::ftruncate(fd, size); });
    }
    int remove(const char* path) override {
        const std::lock_guard lock(mutex_);
        return guarded("remove", path, -1, [&] { return FileOps::remove(path); });
    }

  private:
    void enter(const char* call, const std::string& path) {
        ++count_;
        if (trace_ < 0) return;
        const std::string line =
            fmt::format("{} {} {}\n", count_, call, std::filesystem::path(path).filename().string());
        if (::write(trace_, line.data(), line.size()) < 0) return;  // the trace is a help, never a reason to fail
    }

    template <class T, class Call>
    T guarded(const char* name, const std::string& path, T failed, Call call) {
        enter(name, path);
        const bool here = count_ == plan_.at;
        if (here && (plan_.fault == Fault::KillBefore || plan_.fault == Fault::KillDuring)) die();
        if ((here && plan_.fault == Fault::FailOnce) || (count_ >= plan_.at && plan_.fault == Fault::FailAlways)) {
            errno = plan_.error;
            return failed;
        }
        const T result = call();
        if (here && plan_.fault == Fault::KillAfter) die();
        return result;
    }

    std::mutex mutex_;
    const Plan plan_;
    const int trace_;
    long count_ = 0;
    std::map<int, std::string> names_;
};

}  // namespace

Result<std::shared_ptr<FileOps>> faultyFileOps(const std::string& plan, const std::filesystem::path& trace) {
    const auto parsed = parsePlan(plan);
    if (!parsed) {
        return fail(ErrorCode::InvalidArgument, fmt::format("\"{}\" is no plan of faults.", plan),
                    "Write it like kill:before:7, ENOSPC:once:3, short:once:2 or count.");
    }
    int fd = -1;
    if (!trace.empty()) {
        fd = ::open(trace.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd < 0)
            return fail(ErrorCode::Io, fmt::format("The trace {} cannot be written.", trace.string()),
                        "Check that its folder exists.");
    }
    return std::make_shared<FaultyFileOps>(*parsed, fd);
}

}  // namespace studio::io
