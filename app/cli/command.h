// One file a subcommand: it declares its options and returns what runs it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "base/job.h"
#include "base/log.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "io/json.h"
#include "machine/device.h"

namespace studio::cli {

// Exit codes of the contracts.
inline constexpr int kOk = 0, kFailed = 1, kUsage = 2, kStopped = 130;

struct Context {
    Signals& signals;
    Terminal& terminal;
    std::shared_ptr<Logger> log;
    bool json = false;  // --json: one object on stdout and nothing else

    JobContext job() {
        return {signals.token(), [this](const Progress& p) { terminal.progress(p); }};
    }
    void print(const io::Json& object) const { std::printf("%s\n", io::dumpJson(object).c_str()); }

    // An argument that parses but means nothing: its sentence, and exit code 2.
    int usage(const Error& error);
};

// What the chosen subcommand does; an Error becomes a message and exit code 1 (130 if stopped).
using Run = std::function<Result<int>(Context&)>;

inline int Context::usage(const Error& error) {
    terminal.error(error);
    return kUsage;
}

// Names that options take.
inline CLI::IsMember pathNames() {
    return CLI::IsMember({"best", "leaves", "replies", "tree"});
}
inline CLI::IsMember trainOnNames() {
    return CLI::IsMember({"assistant", "all"});
}
inline CLI::IsMember templateNames() {
    return CLI::IsMember({"openassistant", "human-assistant", "instruct-output", "alpaca"});
}

// What --device takes; which cards there are is known once the engine looks.
inline CLI::Validator deviceName() {
    return CLI::Validator(
        [](const std::string& text) {
            const auto parsed = machine::parseDevice(text);
            return parsed ? std::string() : parsed.error().text();
        },
        "auto|cpu|cuda|cuda:N|cuda:GPU-UUID");
}

// CLI11's own name their limits with all the digits of a double.
inline CLI::Validator numberThat(bool (*holds)(double), const char* what) {
    return CLI::Validator(
        [holds, what](const std::string& text) {
            double value = 0;
            const bool fine = CLI::detail::lexical_cast(text, value) && holds(value);
            return fine ? std::string() : text + " is " + what;
        },
        "");
}
inline CLI::Validator notNegative() {
    return numberThat([](double x) { return x >= 0; }, "no number of 0 or more");
}
inline CLI::Validator positive() {
    return numberThat([](double x) { return x > 0; }, "no number above 0");
}

void addPrepare(CLI::App& app, Run& run);
void addTrain(CLI::App& app, Run& run);
void addEvaluate(CLI::App& app, Run& run);
void addChat(CLI::App& app, Run& run);
void addQuery(CLI::App& app, Run& run);
void addTokenize(CLI::App& app, Run& run);
void addInspect(CLI::App& app, Run& run);
void addBench(CLI::App& app, Run& run);

#ifdef STUDIO_UI
// DISPLAY, WAYLAND_DISPLAY or QT_QPA_PLATFORM is set.
bool hasDisplay();
// The window on projects and files; returns when it is closed.
Result<int> openWindow(Context& context, const std::vector<std::string>& paths);
// `bench start` and `bench ui`.
void addWindowBench(CLI::App& bench, Run& run);
#endif

// Without a subcommand and without a display: the whole journey on the built-in model.
Result<int> demonstration(Context& context);

}  // namespace studio::cli
