// Trainer's one optimizer step.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/train/trainer.h"

namespace studio::engine {

Result<api::StepMetrics> Trainer::stepWithRoom() {
    auto metrics = step();
    if (metrics || !givesRoom(metrics.error())) return metrics;
    STUDIO_CHECK(parts_.data.seek(state_.position));
    return step();
}

bool Trainer::givesRoom(const Error& error) {
    if (error.code != ErrorCode::OutOfMemory) return false;
    parts_.log.warning(
        fmt::format("Step {}: {} It is tried once more with what can be given back.", state_.step + 1, error.message));
    parts_.model.freeMemory();
    return true;
}

Result<api::StepMetrics> Trainer::step() {
    const auto begin = std::chrono::steady_clock::now();
    const auto task_time = controls_.taskTime();
    const dataset::StreamPosition start = state_.position;
    const int planned = parts_.data.microBatches(start.epoch);
    const std::int64_t count = std::min<std::int64_t>(plan_.accumulation, planned - start.micro_batch);
    if (count <= 0) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("There is nothing to train on: epoch {} has {} micro-batches and the run stands after {}.",
                        start.epoch + 1, planned, start.micro_batch),
            "Check the filter, the length limit and, when resuming, that the data is the same.");
    }

    api::StepMetrics metrics;
    metrics.step = state_.step + 1;
    WeightedLoss loss;
    samples_.clear();
    not_finite_.clear();
    DeviceParameters* const device = parts_.model.device();
    if (device != nullptr)
        STUDIO_CHECK(device->zeroGradients());
    else
        parts_.model.adapter().zeroGradients();
    for (std::int64_t index = 0; index < count; ++index) {
        if (index > 0) controls_.serveTask();
        STUDIO_CHECK(microBatch(index, loss, metrics));
    }
    dataset::StreamPosition end{start.epoch, start.micro_batch + static_cast<int>(count)};
    if (end.micro_batch == planned) {
        // The source says that the epoch is through; the call after that begins the next one.
        STUDIO_TRY(const bool more, parts_.data.next(batch_));
        if (more)
            return fail(ErrorCode::Internal, "The data gave more micro-batches than were planned.",
                        "This is a fault of the program.");
        end = {start.epoch + 1, 0};
    }
    if (parts_.job.stopped()) return cancelled();

    STUDIO_CHECK(update(loss, metrics));
    state_.position = end;
    const std::chrono::duration<double> all = std::chrono::steady_clock::now() - begin;
    metrics.seconds = (all - (controls_.taskTime() - task_time)).count();
    state_.seconds += metrics.seconds;
    return metrics;
}

Result<void> Trainer::microBatch(std::int64_t index, WeightedLoss& loss, api::StepMetrics& metrics) {
    if (parts_.job.stopped()) return cancelled();
    STUDIO_CHECK(fetch());
    if (batch_.targets.empty()) return {};  // neither loss nor gradient: nothing to compute
    ForwardOptions options;
    options.training = true;
    options.lora_dropout = plan_.lora_dropout;
    options.resid_dropout = plan_.resid_dropout;
    options.seed = plan_.seed;
    options.step = static_cast<std::uint64_t>(metrics.step);
    options.micro_batch = static_cast<std::uint64_t>(index);
    options.deterministic = plan_.deterministic;
    options.memory = memory_;
    options.stop = parts_.job.stop;
    nll_.assign(batch_.targets.size(), 0.0f);
    STUDIO_CHECK(parts_.model.forward(batch_, options, nll_));
    STUDIO_CHECK(parts_.model.backward());
    loss.add(batch_, nll_);
    noteSamples();
    metrics.tokens += batch_.rows();
    metrics.supervised_tokens += std::count_if(batch_.targets.begin(), batch_.targets.end(),
                                               [](const dataset::Target& target) { return target.weight != 0; });
    return {};
}

// Whose losses these are, for the case that the update must be skipped. Segments tile the rows, targets are in their
// order.
void Trainer::noteSamples() {
    samples_.insert(samples_.end(), batch_.samples.begin(), batch_.samples.end());
    auto segment = batch_.segments.begin();
    for (std::size_t i = 0; i < batch_.targets.size(); ++i) {
        const dataset::Target& target = batch_.targets[i];
        if (target.weight == 0 || std::isfinite(target.weight * nll_[i])) continue;
        while (segment != batch_.segments.end() && segment->end <= target.row) ++segment;
        if (segment == batch_.segments.end()) return;
        not_finite_.push_back(batch_.samples[static_cast<std::size_t>(segment->sample)]);
    }
}

Result<void> Trainer::fetch() {
    STUDIO_TRY(const bool got, parts_.data.next(batch_));
    if (got) return {};
    return fail(ErrorCode::Internal, "The data gave fewer micro-batches than were planned.",
                "This is a fault of the program.");
}

// Loss and gradient of the step are Σ w·… / Σ w over its micro-batches: the gradients hold the sum, and the division
// comes here, together with clipping, as one factor.
Result<void> Trainer::update(const WeightedLoss& loss, api::StepMetrics& metrics) {
    AdapterParameters& adapter = parts_.model.adapter();
    const double per_weight = loss.weight > 0 ? 1 / loss.weight : 1;
    metrics.loss = loss.mean();
    DeviceParameters* const device = parts_.model.device();
    if (device != nullptr) {
        STUDIO_TRY(metrics.grad_norm, device->gradientNorm());
    } else {
        metrics.grad_norm = norm(adapter.gradients());
    }
    metrics.grad_norm *= per_weight;
    metrics.learning_rate = schedule_.at(metrics.step);
    metrics.skipped = !std::isfinite(metrics.loss) || !std::isfinite(metrics.grad_norm);
    if (metrics.skipped) {
        ++state_.skipped_updates;
        ++state_.skipped_in_a_row;
        metrics.suspects = not_finite_.empty() ? samples_ : not_finite_;
        std::sort(metrics.suspects.begin(), metrics.suspects.end());
        metrics.suspects.erase(std::unique(metrics.suspects.begin(), metrics.suspects.end()), metrics.suspects.end());
        parts_.log.warning(fmt::format("Step {}: loss {} and gradient norm {} are not finite; the update was skipped.",
                                       metrics.step, metrics.loss, metrics.grad_norm));
    } else {
        AdamWStep adam;
        adam.t = metrics.step - state_.skipped_updates;
        adam.learning_rate = metrics.learning_rate;
        adam.beta1 = plan_.beta1;
        adam.beta2 = plan_.beta2;
        adam.epsilon = plan_.epsilon;
        adam.weight_decay = plan_.weight_decay;
        adam.gradient_scale = per_weight * clipFactor(metrics.grad_norm, plan_.max_grad_norm);
        if (device != nullptr)
            STUDIO_CHECK(device->update(adam));
        else
            optimizer_.update(adapter, adam);
        state_.skipped_in_a_row = 0;
        state_.loss_sum += loss.sum;
        state_.weight_sum += loss.weight;
    }
    if (loss.weight == 0)
        parts_.log.warning(fmt::format("Step {} has no supervised token: its loss is 0.", metrics.step));
    state_.step = metrics.step;
    state_.tokens += metrics.tokens;
    state_.supervised_tokens += metrics.supervised_tokens;
    if (plan_.steps_per_epoch > 0) metrics.epoch = static_cast<double>(state_.step) / plan_.steps_per_epoch;
    return {};
}

}  // namespace studio::engine
