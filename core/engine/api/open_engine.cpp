#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "engine/api/engine.h"

namespace studio::engine::api {
namespace {

// Beside the program as built and as installed: bin/qlora-studio, lib/libstudio_engine.so.
std::string defaultLibrary() {
    if (const char* named = std::getenv("STUDIO_ENGINE"); named && *named) return named;
    std::error_code ec;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", ec);
    return (program.parent_path().parent_path() / "lib" / "libstudio_engine.so").string();
}

}  // namespace

Result<Engine*> openEngine(const Services& services, const std::string& library) {
    const std::string file = library.empty() ? defaultLibrary() : library;
    if (!std::filesystem::exists(file)) {
        return fail(ErrorCode::NotFound, fmt::format("The engine library {} is missing.", file),
                    "Training, evaluating and chatting need it: run `make build`. Browsing data, preparing and "
                    "inspecting work without it.");
    }
    void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* reason = dlerror();
        return fail(
            ErrorCode::Device,
            fmt::format("The engine library {} cannot be opened ({}).", file, reason ? reason : "no reason given"),
            "LibTorch or one of its libraries is missing or broken: run `make setup` and `make build` again.");
    }
    const auto entry = reinterpret_cast<Entry>(dlsym(handle, kEntryName));
    Engine* engine = entry ? entry(kApiVersion, &services) : nullptr;
    if (!engine) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("The engine library {} belongs to another version of the program.", file),
                    "Build program and engine together: run `make build`.");
    }
    return engine;
}

}  // namespace studio::engine::api
