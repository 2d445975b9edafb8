// Work away from the window: a thread with a queue, whose results come back on the GUI thread while the one who asked
// is still there.
#pragma once

#include <QObject>
#include <QPointer>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/job.h"
#include "base/result.h"

namespace studio::ui {

// One piece of work, as the window sees it. Lives on the GUI thread, a child of its receiver; goes after finished().
class Task : public QObject {
    Q_OBJECT
  public:
    explicit Task(QObject* receiver) : QObject(receiver) {}
    ~Task() override { cancel(); }

    void cancel() { stop_.request_stop(); }
    bool cancelled() const { return stop_.stop_requested(); }
    const Progress& lastProgress() const { return last_; }
    std::stop_token token() const { return stop_.get_token(); }

  Q_SIGNALS:
    void progress(const studio::Progress& value);  // at most 30 a second, and the first of each phase
    void finished();                               // after the receiver was called

  private:
    friend class TaskThread;
    std::stop_source stop_;
    Progress last_;
};

class TaskThread {
  public:
    // `nice` > 0 lowers the thread's priority, and that of the threads it starts.
    explicit TaskThread(int nice = 0);
    // Stops what runs, drops what waits, joins.
    ~TaskThread();
    TaskThread(const TaskThread&) = delete;
    TaskThread& operator=(const TaskThread&) = delete;

    // `work` runs on the thread, in order; `done` on the GUI thread, never after `receiver` or the task is gone. What
    // `work` holds is destroyed on this thread.
    template <class T>
    Task* run(QObject* receiver, std::function<Result<T>(const JobContext&)> work,
              std::function<void(Result<T>)> done) {
        auto* task = new Task(receiver);
        QPointer<Task> guarded(task);
        post([this, guarded, stop = task->token(), work = std::move(work), done = std::move(done)]() mutable {
            auto result = std::make_shared<Result<T>>(guard<T>(work, {stop, progressTo(guarded)}));
            work = nullptr;
            deliver([guarded, result, done = std::move(done)] {
                if (!guarded) return;
                if (done) done(std::move(*result));
                if (!guarded) return;
                Q_EMIT guarded->finished();
                guarded->deleteLater();
            });
        });
        return task;
    }

    // `job` on the thread, without an answer.
    void post(std::function<void()> job);
    // From the thread: `call` on the GUI thread.
    void deliver(std::function<void()> call);
    bool idle() const;

  private:
    std::function<void(const Progress&)> progressTo(const QPointer<Task>& task);
    template <class T>
    static Result<T> guard(const std::function<Result<T>(const JobContext&)>& work, const JobContext& job) {
        if (job.stopped()) return cancelled();
        try {
            return work(job);
        } catch (const std::bad_alloc&) {
            return fail(ErrorCode::OutOfMemory, "Not enough memory.", "Close other programs, then try again.");
        } catch (const std::exception& e) {
            return fail(ErrorCode::Internal, std::string("Something unexpected happened: ") + e.what() + ".",
                        "Help > Log says more.");
        }
    }
    void loop(std::stop_token stop, int nice);

    mutable std::mutex mutex_;
    std::condition_variable_any wake_;
    std::deque<std::function<void()>> queue_;
    bool working_ = false;
    std::unique_ptr<QObject> dispatcher_;  // on the GUI thread
    std::jthread thread_;
};

}  // namespace studio::ui
