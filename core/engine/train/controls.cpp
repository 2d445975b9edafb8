#include "engine/train/controls.h"

namespace studio::engine {

bool Controls::serveTask() {
    const auto task = mailbox_.front();
    if (!task) return false;
    const auto begin = std::chrono::steady_clock::now();
    if (task->slice(live_, begin + kSlice)) mailbox_.popFront();
    task_time_ += std::chrono::steady_clock::now() - begin;
    return true;
}

Result<Controls::Next> Controls::betweenSteps(const std::function<Result<void>()>& save) {
    bool paused = false;
    auto next = waitWhilePaused(save, paused);
    if (paused) observer_.onPaused(false);
    if (next && *next == Next::Step) serveTask();
    return next;
}

Result<Controls::Next> Controls::waitWhilePaused(const std::function<Result<void>()>& save, bool& paused) {
    for (;;) {
        if (job_.stopped()) return cancelled();
        if (mailbox_.takeSaveRequest()) STUDIO_CHECK(save());
        if (mailbox_.stopAfterStepRequested()) return Next::Stop;
        if (!mailbox_.pauseRequested()) return Next::Step;
        if (!paused) {
            paused = true;
            observer_.onPaused(true);
        }
        if (!serveTask()) mailbox_.waitWhileIdle(job_.stop);
    }
}

}  // namespace studio::engine
