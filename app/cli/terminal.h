// What a person sees while a command works: progress on stderr, a bar where stderr is a terminal, lines otherwise.
#pragma once

#include <chrono>
#include <string>

#include "base/grouped.h"
#include "base/job.h"

namespace studio::cli {

class Terminal {
  public:
    Terminal();
    ~Terminal() { endLine(); }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // A line of its own on stderr.
    void say(const std::string& line);
    void error(const Error& error);  // "error: what happened" and the next step

    // One changing line on a terminal, at most 10 times a second; elsewhere a line every two seconds.
    void progress(const Progress& progress);
    void status(const std::string& line);  // like progress, with text of one's own
    void endLine();

    bool isTerminal() const { return terminal_; }
    int width() const;

  private:
    void show(const std::string& line, bool force);

    bool terminal_ = false, open_line_ = false;
    std::chrono::steady_clock::time_point last_{};
    std::string phase_, last_line_;
};

// "4.2 s", "1 min 20 s", "12.3 MB": for people, never for files.
using studio::grouped;
std::string duration(double seconds);
std::string bytesText(std::uint64_t bytes);

}  // namespace studio::cli
