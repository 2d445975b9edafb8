// The states of a run and the one place that decides which follows which.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace studio::project {

enum class RunState : std::uint8_t {
    Queued,
    Preparing,
    Running,
    Paused,
    Stopping,
    Finished,
    Stopped,
    Failed,
    Interrupted,  // was at work, its process is gone
};

enum class RunEvent : std::uint8_t {
    Start,  // also of a resume
    Ready,  // prepared: the first step follows
    Pause,
    Resume,
    Stop,       // the person asked; the running step is finished first
    StepsDone,  // the last planned step is through
    StopDone,   // stopped as asked
    Fail,
    Vanish,  // its process is gone
};

std::string_view name(RunState state);  // "running"
std::string_view name(RunEvent event);
Result<RunState> runState(std::string_view name);

// The state after `event`; InvalidArgument, naming both, where the event means nothing in `state`.
Result<RunState> next(RunState state, RunEvent event);

bool canResume(RunState state);  // paused, stopped, failed, interrupted
bool isAtWork(RunState state);   // preparing, running, paused, stopping: a process must be holding the lock

}  // namespace studio::project
