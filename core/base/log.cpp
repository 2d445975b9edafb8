#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>

namespace studio {
namespace {

class NullLogger final : public Logger {
  public:
    void write(LogLevel, std::string_view) noexcept override {}
};

class FileLogger final : public Logger {
  public:
    explicit FileLogger(const std::filesystem::path& file)
        : log_("studio", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kBytes, kOldFiles)) {
        log_.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
        log_.flush_on(spdlog::level::warn);
        log_.set_error_handler([](const std::string&) {});  // a full disk must not stop the work
    }
    ~FileLogger() override { log_.flush(); }

    void write(LogLevel level, std::string_view message) noexcept override {
        static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                                spdlog::level::warn, spdlog::level::err};
        log_.log(kLevels[static_cast<int>(level)], spdlog::string_view_t(message.data(), message.size()));
    }

  private:
    static constexpr std::size_t kBytes = 5u << 20, kOldFiles = 3;
    spdlog::logger log_;
};

}  // namespace

std::shared_ptr<Logger> makeNullLogger() {
    return std::make_shared<NullLogger>();
}

Result<std::shared_ptr<Logger>> makeFileLogger(const std::filesystem::path& file) {
    try {
        std::filesystem::create_directories(file.parent_path());
        return std::make_shared<FileLogger>(file);
    } catch (const std::exception& e) {
        return fail(ErrorCode::Io, fmt::format("The log file {} cannot be written ({}).", file.string(), e.what()),
                    "Check the folder's permissions; the program works without a log.");
    }
}

}  // namespace studio
