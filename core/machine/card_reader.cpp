#include "machine/card_reader.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace studio::machine {

struct CardReader::Shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool asked = false, reading = false, ended = false;
    std::optional<Result<CardReport>> answer;

    void work(const std::string& library) {
        std::unique_ptr<Nvml> nvml;
        std::unique_lock lock(mutex);
        for (;;) {
            changed.wait(lock, [this] { return asked || ended; });
            if (ended) return;
            asked = false;
            reading = true;
            lock.unlock();
            auto read = [&]() -> Result<CardReport> {
                if (!nvml) {
                    STUDIO_TRY(nvml, Nvml::open(library));
                }
                return nvml->read();
            }();
            lock.lock();
            reading = false;
            answer = std::move(read);
        }
    }
};

CardReader::CardReader(const std::string& library) : shared_(std::make_shared<Shared>()) {
    std::thread([shared = shared_, library] { shared->work(library); }).detach();
}

CardReader::~CardReader() {
    const std::lock_guard lock(shared_->mutex);
    shared_->ended = true;
    shared_->changed.notify_one();
}

void CardReader::request() {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->asked || shared_->reading) return;
    shared_->asked = true;
    shared_->changed.notify_one();
}

bool CardReader::waiting() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->asked || shared_->reading;
}

std::optional<Result<CardReport>> CardReader::take() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->answer, std::nullopt);
}

}  // namespace studio::machine
