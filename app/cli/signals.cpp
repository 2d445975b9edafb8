#include "cli/signals.h"

#include <csignal>
#include <ctime>
#include <mutex>

#include <unistd.h>

namespace studio::cli {

struct Signals::Shared {
    std::mutex mutex;
    std::function<void(int)> handler;
    int count = 0;
    bool interrupted = false, terminated = false;
};

Signals::Signals() : shared_(std::make_shared<Shared>()) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, not a death
    std::signal(SIGXFSZ, SIG_IGN);  // so is a file beyond the person's limit
    thread_ = std::jthread([this, set, shared = shared_](std::stop_token end) {
        while (!end.stop_requested()) {
            const timespec wait{0, 100'000'000};
            const int signal = sigtimedwait(&set, nullptr, &wait);
            if (signal != SIGINT && signal != SIGTERM) continue;
            std::function<void(int)> handler;
            int count = 0;
            {
                const std::lock_guard lock(shared->mutex);
                count = ++shared->count;
                (signal == SIGINT ? shared->interrupted : shared->terminated) = true;
                handler = shared->handler;
            }
            if (count >= 3) _exit(130);
            if (handler)
                handler(count);
            else
                stop_.request_stop();
        }
    });
}

Signals::~Signals() = default;

void Signals::onSignal(std::function<void(int)> handler) {
    const std::lock_guard lock(shared_->mutex);
    shared_->handler = std::move(handler);
}

bool Signals::interrupted() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->interrupted;
}

bool Signals::terminated() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->terminated;
}

}  // namespace studio::cli
