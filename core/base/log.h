// The logger is handed in: code linked into both the program and the engine library has no statics of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace studio {

enum class LogLevel { Debug, Info, Warning, Error };

class Logger {
  public:
    virtual ~Logger() = default;
    virtual void write(LogLevel level, std::string_view message) noexcept = 0;

    void info(std::string_view message) noexcept { write(LogLevel::Info, message); }
    void warning(std::string_view message) noexcept { write(LogLevel::Warning, message); }
    void error(std::string_view message) noexcept { write(LogLevel::Error, message); }
};

// Writes nowhere.
std::shared_ptr<Logger> makeNullLogger();

// Rotating file (5 MB, 3 old ones kept), flushed at every warning. The folder is created.
Result<std::shared_ptr<Logger>> makeFileLogger(const std::filesystem::path& file);

}  // namespace studio
