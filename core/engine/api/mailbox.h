// What other threads may ask of a training run. train() looks here between micro-batches and while it is paused.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

namespace studio::engine::api {

class Model;

// A piece of work on the live adapter (that of the last finished step), done in slices so that training and controls
// are never held up for long: a chat answer, a sample, one conversation's loss.
class LiveTask {
  public:
    virtual ~LiveTask() = default;
    // Works until `deadline` at most; true when done. Called on the engine's thread, never while a step is half
    // applied.
    virtual bool slice(Model& model, std::chrono::steady_clock::time_point deadline) noexcept = 0;
};

class Mailbox {
  public:
    // From any thread.
    void post(std::shared_ptr<LiveTask> task) {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        changed_.notify_all();
    }
    void pause() { set(paused_, true); }
    void resume() { set(paused_, false); }
    void stopAfterStep() { set(stop_after_step_, true); }  // finish the running step, save, return
    void saveAfterStep() { set(save_after_step_, true); }

    // From the engine's thread.
    bool stopAfterStepRequested() const { return get(stop_after_step_); }
    bool pauseRequested() const { return get(paused_); }
    bool takeSaveRequest() {
        const std::lock_guard lock(mutex_);
        return std::exchange(save_after_step_, false);
    }
    std::shared_ptr<LiveTask> front() const {
        const std::lock_guard lock(mutex_);
        return tasks_.empty() ? nullptr : tasks_.front();
    }
    void popFront() {
        const std::lock_guard lock(mutex_);
        tasks_.pop_front();
    }
    // Blocks while paused and nothing is to be done.
    void waitWhileIdle(std::stop_token stop) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [&] { return !paused_ || stop_after_step_ || save_after_step_ || !tasks_.empty(); });
    }

  private:
    void set(bool& flag, bool value) {
        const std::lock_guard lock(mutex_);
        flag = value;
        changed_.notify_all();
    }
    bool get(const bool& flag) const {
        const std::lock_guard lock(mutex_);
        return flag;
    }

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::shared_ptr<LiveTask>> tasks_;
    bool paused_ = false, stop_after_step_ = false, save_after_step_ = false;
};

}  // namespace studio::engine::api
