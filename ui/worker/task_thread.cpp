#include "ui/worker/task_thread.h"

#include <sys/resource.h>
#include <unistd.h>

#include <QMetaObject>
#include <chrono>

namespace studio::ui {

TaskThread::TaskThread(int nice)
    : dispatcher_(std::make_unique<QObject>()), thread_([this, nice](std::stop_token stop) { loop(stop, nice); }) {}

TaskThread::~TaskThread() {
    {
        const std::lock_guard lock(mutex_);
        queue_.clear();
    }
    thread_.request_stop();
    thread_.join();
}

void TaskThread::post(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    wake_.notify_one();
}

void TaskThread::deliver(std::function<void()> call) {
    QMetaObject::invokeMethod(dispatcher_.get(), std::move(call), Qt::QueuedConnection);
}

bool TaskThread::idle() const {
    const std::lock_guard lock(mutex_);
    return queue_.empty() && !working_;
}

void TaskThread::loop(std::stop_token stop, int nice) {
    if (nice > 0) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), nice);  // of this thread alone, on Linux
    for (;;) {
        std::function<void()> job;
        {
            std::unique_lock lock(mutex_);
            working_ = false;
            if (!wake_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
            if (stop.stop_requested()) return;
            job = std::move(queue_.front());
            queue_.pop_front();
            working_ = true;
        }
        job();
    }
}

std::function<void(const Progress&)> TaskThread::progressTo(const QPointer<Task>& task) {
    struct Rhythm {
        std::string phase;
        std::chrono::steady_clock::time_point last;
    };
    return [this, task, rhythm = std::make_shared<Rhythm>()](const Progress& value) {
        const auto now = std::chrono::steady_clock::now();
        const bool due = now - rhythm->last >= std::chrono::milliseconds(34) || value.phase != rhythm->phase ||
                         (value.total > 0 && value.done == value.total);
        if (!due) return;
        rhythm->last = now;
        rhythm->phase = value.phase;
        deliver([task, value] {
            if (!task) return;
            task->last_ = value;
            Q_EMIT task->progress(value);
        });
    };
}

}  // namespace studio::ui
