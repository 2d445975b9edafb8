#include "project/run_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace studio::project {
namespace {

using S = RunState;
using E = RunEvent;

struct Transition {
    RunState from;
    RunEvent event;
    RunState to;
};

// Everything that may happen. Asking twice for the same thing is allowed and changes nothing.
constexpr Transition kTransitions[] = {
    {S::Queued, E::Start, S::Preparing},      {S::Queued, E::Stop, S::Stopped},
    {S::Queued, E::Fail, S::Failed},

    {S::Preparing, E::Ready, S::Running},     {S::Preparing, E::Stop, S::Stopping},
    {S::Preparing, E::Fail, S::Failed},       {S::Preparing, E::Vanish, S::Interrupted},

    {S::Running, E::Pause, S::Paused},        {S::Running, E::Resume, S::Running},
    {S::Running, E::Stop, S::Stopping},       {S::Running, E::StepsDone, S::Finished},
    {S::Running, E::Fail, S::Failed},         {S::Running, E::Vanish, S::Interrupted},

    {S::Paused, E::Pause, S::Paused},         {S::Paused, E::Resume, S::Running},
    {S::Paused, E::Stop, S::Stopping},        {S::Paused, E::Fail, S::Failed},
    {S::Paused, E::Vanish, S::Interrupted},

    {S::Stopping, E::Stop, S::Stopping},      {S::Stopping, E::StopDone, S::Stopped},
    {S::Stopping, E::StepsDone, S::Finished},  // the step that was running was the last
    {S::Stopping, E::Fail, S::Failed},        {S::Stopping, E::Vanish, S::Interrupted},

    {S::Stopped, E::Start, S::Preparing},     {S::Failed, E::Start, S::Preparing},
    {S::Interrupted, E::Start, S::Preparing},
};

constexpr std::string_view kStates[] = {"queued",   "preparing", "running", "paused",     "stopping",
                                        "finished", "stopped",   "failed",  "interrupted"};
constexpr std::string_view kEvents[] = {"start",      "ready",     "pause", "resume", "stop",
                                        "steps_done", "stop_done", "fail",  "vanish"};

}  // namespace

std::string_view name(RunState state) {
    return kStates[static_cast<std::size_t>(state)];
}

std::string_view name(RunEvent event) {
    return kEvents[static_cast<std::size_t>(event)];
}

Result<RunState> runState(std::string_view text) {
    const auto* found = std::find(std::begin(kStates), std::end(kStates), text);
    if (found == std::end(kStates)) {
        return fail(ErrorCode::Corrupt, fmt::format("\"{}\" is no state of a run.", text),
                    "The run's record was changed by hand or by a newer version of the program.");
    }
    return static_cast<RunState>(found - std::begin(kStates));
}

Result<RunState> next(RunState state, RunEvent event) {
    for (const Transition& t : kTransitions)
        if (t.from == state && t.event == event) return t.to;
    return fail(ErrorCode::InvalidArgument,
                fmt::format("The run is {}; the event \"{}\" means nothing to it.", name(state), name(event)),
                state == RunState::Finished ? "A finished run is complete; start a new one from its recipe."
                                            : "Look at the run's state again; it may have changed meanwhile.");
}

bool canResume(RunState state) {
    return state == S::Paused || state == S::Stopped || state == S::Failed || state == S::Interrupted;
}

bool isAtWork(RunState state) {
    return state == S::Preparing || state == S::Running || state == S::Paused || state == S::Stopping;
}

}  // namespace studio::project
