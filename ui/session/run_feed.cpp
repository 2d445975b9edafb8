#include "ui/session/run_feed.h"

#include <utility>

namespace studio::ui {

RunFeed::News RunFeed::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, News{});
}

void RunFeed::phase(const Progress& progress) {
    const std::lock_guard lock(mutex_);
    news_.phase = progress;
}

void RunFeed::answerSave(bool retry) {
    const std::lock_guard lock(mutex_);
    answer_ = retry;
    abandoned_ = abandoned_ || !retry;
    answered_.notify_all();
}

void RunFeed::onReady(const jobs::TrainSetup& setup, std::int64_t resumed_step) {
    const std::lock_guard lock(mutex_);
    news_.ready = true;
    news_.total = setup.plan.total_steps;
    news_.first_step = resumed_step;
    news_.tokenizer = setup.data.tokenizer;
    news_.template_name = setup.data.provenance.chat_template;
    news_.device = setup.record.device;
    news_.notices.insert(news_.notices.end(), setup.notices.begin(), setup.notices.end());
}

void RunFeed::onStep(const engine::api::StepMetrics& m, std::int64_t) {
    const std::lock_guard lock(mutex_);
    news_.steps.push_back(
        {m.step, m.epoch, m.loss, m.learning_rate, m.grad_norm, m.tokens, m.supervised_tokens, m.seconds, m.skipped});
}

void RunFeed::onEvaluation(std::int64_t step, double loss) {
    const std::lock_guard lock(mutex_);
    news_.evaluations.push_back({step, loss});
}

void RunFeed::onStepping(bool stepping) {
    const std::lock_guard lock(mutex_);
    news_.stepping = stepping;
}

void RunFeed::onPaused(bool paused) {
    const std::lock_guard lock(mutex_);
    news_.paused = paused;
}

void RunFeed::onCheckpoint(std::int64_t step) {
    const std::lock_guard lock(mutex_);
    news_.checkpoint = step;
}

void RunFeed::onSample(std::int64_t step, const std::string& prompt, const std::string& answer,
                       const std::string& end) {
    const std::lock_guard lock(mutex_);
    news_.samples.push_back({step, prompt, answer, end});
}

void RunFeed::onNotice(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    news_.notices.push_back(sentence);
}

bool RunFeed::onUpdatesSkipped(const Error& error, const std::vector<project::Conversation>& conversations) {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return false;
    news_.updates_skipped = {error, conversations};
    return true;  // the person decides how it goes on
}

bool RunFeed::onSaveFailed(const Error& error) {
    std::unique_lock lock(mutex_);
    if (abandoned_) return false;
    news_.save_error = error;
    answer_.reset();
    answered_.wait(lock, [this] { return answer_.has_value(); });
    return *answer_;
}

}  // namespace studio::ui
