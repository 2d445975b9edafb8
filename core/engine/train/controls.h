// How a run answers to other threads: short tasks, pause, save and stop, through the mailbox.
#pragma once

#include <chrono>
#include <functional>

#include "base/job.h"
#include "base/result.h"
#include "engine/api/engine.h"

namespace studio::engine {

class Controls {
  public:
    // How long a task may hold up the run, and so how late a control is heard at most.
    static constexpr std::chrono::milliseconds kSlice{200};

    Controls(api::Mailbox& mailbox, api::Model& live, api::TrainObserver& observer, const JobContext& job)
        : mailbox_(mailbox), live_(live), observer_(observer), job_(job) {}

    // One slice of the task that waits longest, if any does.
    bool serveTask();

    enum class Next { Step, Stop };
    // Between two steps: saves on request, waits while paused (serving tasks), then one slice before the next step.
    // Cancelled when the job was.
    Result<Next> betweenSteps(const std::function<Result<void>()>& save);

    bool stopRequested() const { return mailbox_.stopAfterStepRequested(); }
    // Time given to tasks so far; not part of a step's seconds.
    std::chrono::duration<double> taskTime() const { return task_time_; }

  private:
    Result<Next> waitWhilePaused(const std::function<Result<void>()>& save, bool& paused);

    api::Mailbox& mailbox_;
    api::Model& live_;
    api::TrainObserver& observer_;
    const JobContext& job_;
    std::chrono::duration<double> task_time_{0};
};

}  // namespace studio::engine
