#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace studio::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kLogEvery = std::chrono::milliseconds(2000);  // where stderr is a file or a pipe
constexpr int kBar = 24;

std::string bar(double share) {
    const int full = std::clamp(static_cast<int>(share * kBar), 0, kBar);
    std::string text;
    for (int i = 0; i < kBar; ++i) text += i < full ? "━" : "╌";
    return text;
}

// Cuts to `width` columns, counting code points: what is shown is our own text, of single-width letters.
std::string fitted(const std::string& line, int width) {
    int columns = 0;
    std::size_t i = 0;
    while (i < line.size() && columns < width) {
        ++i;
        while (i < line.size() && (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80) ++i;
        ++columns;
    }
    return line.substr(0, i);
}

}  // namespace

Terminal::Terminal() : terminal_(isatty(STDERR_FILENO) != 0) {}

int Terminal::width() const {
    winsize size{};
    return terminal_ && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

void Terminal::endLine() {
    if (open_line_) std::fputc('\n', stderr);
    open_line_ = false;
    phase_.clear();
}

void Terminal::say(const std::string& line) {
    if (open_line_) std::fputs("\r\033[K", stderr);
    open_line_ = false;
    std::fprintf(stderr, "%s\n", line.c_str());
}

void Terminal::error(const Error& error) {
    endLine();
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
    if (!error.hint.empty()) std::fprintf(stderr, "       %s\n", error.hint.c_str());
}

void Terminal::show(const std::string& line, bool force) {
    const auto now = std::chrono::steady_clock::now();
    if (!force && now - last_ < (terminal_ ? kRedraw : kLogEvery)) return;
    last_ = now;
    if (!terminal_) {
        if (line == last_line_) return;
        last_line_ = line;
        std::fprintf(stderr, "%s\n", line.c_str());
        return;
    }
    std::fprintf(stderr, "\r\033[K%s", fitted(line, width() - 1).c_str());
    std::fflush(stderr);
    open_line_ = true;
}

void Terminal::status(const std::string& line) {
    if (terminal_) show(line, false);
}

void Terminal::progress(const Progress& p) {
    if (p.phase != phase_) {
        endLine();
        phase_ = p.phase;
    }
    const auto number = [](std::uint64_t n) { return grouped(static_cast<std::int64_t>(n)); };
    if (p.total == 0) {
        show(p.done == 0 ? p.phase + "…" : fmt::format("{}: {} {}", p.phase, number(p.done), p.unit), false);
        return;
    }
    const std::string numbers = fmt::format("{} of {} {}", number(p.done), number(p.total), p.unit);
    const double share = static_cast<double>(p.done) / static_cast<double>(p.total);
    show(
        terminal_ ? fmt::format("{:<28} {} {}", p.phase, bar(share), numbers) : fmt::format("{}: {}", p.phase, numbers),
        terminal_ && p.done >= p.total);
}

std::string duration(double seconds) {
    if (seconds < 10) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(seconds + 0.5);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string bytesText(std::uint64_t bytes) {
    const auto b = static_cast<double>(bytes);
    if (b < 1e3) return fmt::format("{} B", bytes);
    if (b < 1e6) return fmt::format("{:.1f} KB", b / 1e3);
    if (b < 1e9) return fmt::format("{:.1f} MB", b / 1e6);
    return fmt::format("{:.2f} GB", b / 1e9);
}

}  // namespace studio::cli
