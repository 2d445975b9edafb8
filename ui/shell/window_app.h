// The program with its window, from start to end.
#pragma once

#include <QStringList>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace studio::ui {

struct WindowOptions {
    QStringList paths;  // projects and files that were named
    QString version;
    std::shared_ptr<Logger> log;
    // Gets what to call, from any thread, when the system asks the program to end.
    std::function<void(std::function<void()>)> on_signal;
};

// Shows the window and returns the exit code when it is closed. `argc`, `argv`: for Qt's own options.
int runWindow(int argc, char** argv, const WindowOptions& options);

struct StartFigures {
    double first_list_painted_ms = 0;
    std::uint64_t rss_bytes = 0;
};
// The real window on the sample project: time from `start_ns` (steady clock) until the list with its first rows is
// painted, and the memory then.
Result<StartFigures> benchStart(int argc, char** argv, const WindowOptions& options, std::int64_t start_ns);

struct UiFigures {
    double longest_gap_ms = 0, p99_gap_ms = 0, pause_ms = 0, stop_ms = 0, close_ms = 0, tokens_per_s = 0;
    double tokens_per_s_alone = 0;  // the same run without the window being used
};
struct UiBench {
    double seconds = 60;
    bool train = false;         // whether a run is active meanwhile
    std::string device, model;  // of the run: as in the recipe, a folder; empty: the recipe's own
};
// The real window and a real run: list scrolled, filter typed, pages switched, plot zoomed, chat streamed; then pause,
// resume, stop, close.
Result<UiFigures> benchUi(int argc, char** argv, const WindowOptions& options, const UiBench& bench);

}  // namespace studio::ui
