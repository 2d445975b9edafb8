// What every long-running call takes: a way to stop it and a way to hear from it.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace studio {

struct Progress {
    std::string phase;        // a short noun phrase: "Reading messages"
    std::uint64_t done = 0;   // in `unit`
    std::uint64_t total = 0;  // 0 where the amount is not known
    std::string unit;         // "messages", "MB", "steps"
};

struct JobContext {
    std::stop_token stop;
    std::function<void(const Progress&)> progress;  // may be empty; called from the thread that does the work

    bool stopped() const { return stop.stop_requested(); }
    void report(const Progress& value) const {
        if (progress) progress(value);
    }
};

inline tl::unexpected<Error> cancelled() {
    return fail(ErrorCode::Cancelled, "Stopped.");
}

}  // namespace studio
