#include "jobs/places.h"

#include <cstdlib>

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

fs::path xdg(const char* variable, const char* below_home) {
    if (const char* value = std::getenv(variable); value && *value == '/') return fs::path(value) / "qlora-studio";
    const char* home = std::getenv("HOME");
    return fs::path(home && *home ? home : "/tmp") / below_home / "qlora-studio";
}

}  // namespace

fs::path resourceFolder() {
    if (const char* named = std::getenv("STUDIO_RESOURCES"); named && *named) return named;
    std::error_code ec;
    const fs::path program = fs::read_symlink("/proc/self/exe", ec);
    // bin/ or, for tests, tests/ beside share/.
    return program.parent_path().parent_path() / "share" / "qlora-studio";
}

fs::path dataFolder() {
    return xdg("XDG_DATA_HOME", ".local/share");
}

fs::path stateFolder() {
    return xdg("XDG_STATE_HOME", ".local/state");
}

fs::path logFile() {
    return stateFolder() / "log" / "qlora-studio.log";
}

}  // namespace studio::jobs
