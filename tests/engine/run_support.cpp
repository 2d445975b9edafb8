#include "engine/run_support.h"

#include <fmt/format.h>

namespace studio::test {

using namespace engine;

Result<bool> ListSource::next(dataset::Batch& batch) noexcept {
    const int n = static_cast<int>(batches_.size());
    if (position_.micro_batch >= n) {
        position_ = {position_.epoch + 1, 0};
        return false;
    }
    batch = batches_[((rotate_ ? position_.epoch : 0) + position_.micro_batch++) % n];
    return true;
}

Result<void> ListSource::seek(dataset::StreamPosition position) noexcept {
    position_ = position;
    return {};
}

KeptCheckpoint::KeptCheckpoint(const api::Checkpoint& checkpoint) : view_(checkpoint) {
    for (auto* tensors : {&view_.adapter, &view_.optimizer}) {
        for (io::TensorView& tensor : *tensors) {
            const auto* bytes = static_cast<const std::byte*>(tensor.data);
            tensor.data = data_.emplace_back(bytes, bytes + tensor.bytes).data();
        }
    }
}

std::string KeptCheckpoint::bytes() const {
    const api::TrainerState& s = view_.state;
    std::string all =
        fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", s.step, s.position.epoch, s.position.micro_batch,
                    s.loss_sum, s.weight_sum, s.tokens, s.supervised_tokens, s.last_eval_loss, s.has_eval_loss,
                    s.best_eval_loss, s.best_step, s.last_eval_step, s.skipped_updates, s.skipped_in_a_row);
    for (const auto* tensors : {&view_.adapter, &view_.optimizer})
        for (const io::TensorView& t : *tensors) all += t.name + std::string(static_cast<const char*>(t.data), t.bytes);
    return all;
}

Result<void> Record::onStep(const api::StepMetrics& m) noexcept {
    if (on_step) STUDIO_CHECK(on_step(m.step));
    steps.push_back(m);
    lines.push_back(fmt::format("step {}", m.step));
    metrics.push_back(fmt::format("step {} epoch {} loss {} lr {} norm {} tokens {} supervised {} skipped {}", m.step,
                                  m.epoch, m.loss, m.learning_rate, m.grad_norm, m.tokens, m.supervised_tokens,
                                  m.skipped));
    return {};
}

Result<void> Record::onEvaluation(std::int64_t step, double loss) noexcept {
    evaluations.push_back(loss);
    lines.push_back(fmt::format("eval {}", step));
    metrics.push_back(fmt::format("eval {} loss {}", step, loss));
    return {};
}

void Record::onPaused(bool paused) noexcept {
    lines.push_back(paused ? "pause" : "resume");
    if (on_pause) on_pause(paused);
}

Result<void> Record::save(const api::Checkpoint& checkpoint) noexcept {
    if (on_save) STUDIO_CHECK(on_save(checkpoint.state.step));
    lines.push_back(fmt::format("save {}", checkpoint.state.step));
    checkpoints.emplace_back(checkpoint);
    return {};
}

const KeptCheckpoint* Record::at(std::int64_t step) const {
    for (const KeptCheckpoint& kept : checkpoints)
        if (kept.view().state.step == step) return &kept;
    return nullptr;
}

void ListLogger::write(LogLevel level, std::string_view message) noexcept {
    if (level == LogLevel::Warning || level == LogLevel::Error) warnings.emplace_back(message);
}

}  // namespace studio::test
