#include "engine/train/trainer.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/train/plan_check.h"

namespace studio::engine {

Result<api::TrainResult> Trainer::run(const api::TrainPlan& plan, const Parts& parts, const api::Checkpoint* resume) {
    STUDIO_CHECK(checkPlan(plan));
    STUDIO_TRY(api::Schedule schedule, api::Schedule::create({plan.lr_scheduler, plan.learning_rate, plan.total_steps,
                                                              plan.warmup_steps, plan.min_lr}));
    STUDIO_TRY(Optimizer optimizer, Optimizer::create(parts.model.adapter()));
    Trainer trainer(plan, parts, schedule, std::move(optimizer));
    STUDIO_CHECK(trainer.begin(resume));
    return trainer.loop();
}

Trainer::Trainer(const api::TrainPlan& plan, const Parts& parts, api::Schedule schedule, Optimizer optimizer)
    : plan_(plan),
      parts_(parts),
      schedule_(schedule),
      optimizer_(std::move(optimizer)),
      controls_(parts.mailbox, parts.live, parts.observer, parts.job),
      memory_(memoryMode(plan.memory_mode).value_or(MemoryMode::Auto)) {}

Result<void> Trainer::begin(const api::Checkpoint* resume) {
    if (resume) {
        const api::TrainerState& state = resume->state;
        if (state.step < 0 || state.step > plan_.total_steps || state.position.epoch < 0 ||
            state.position.micro_batch < 0) {
            return fail(
                ErrorCode::InvalidArgument,
                fmt::format("The checkpoint is at step {}, but the run has {} steps.", state.step, plan_.total_steps),
                "Start a new run from its weights with --adapter.");
        }
        AdapterParameters& adapter = parts_.model.adapter();
        if (resume->adapter.size() != adapter.tensors().size()) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("The checkpoint's adapter has {} tensors, this run's has {}.",
                                    resume->adapter.size(), adapter.tensors().size()),
                        "Resume with the qlora_config the run was started with, or from another checkpoint.");
        }
        STUDIO_CHECK(optimizer_.load(adapter, resume->optimizer));
        STUDIO_CHECK(fillFlat(adapter, "", resume->adapter, adapter.values()));
        state_ = state;
        saved_step_ = state.step;
    }
    auto room = takeRoom();
    if (!room && givesRoom(room.error())) room = takeRoom();
    STUDIO_CHECK(std::move(room));
    return parts_.data.seek(state_.position);
}

Result<void> Trainer::takeRoom() {
    if (auto* device = parts_.model.device()) STUDIO_CHECK(optimizer_.store(parts_.model.adapter(), *device));
    const api::BatchSize& largest = plan_.largest;
    if (largest.rows == 0) return {};
    Limits limits;
    limits.rows = largest.rows;
    limits.targets = largest.targets;
    limits.key_rows = largest.key_rows;
    limits.training = true;
    limits.recompute = memory_ == MemoryMode::Recompute;
    limits.dropout = plan_.lora_dropout > 0 || plan_.resid_dropout > 0;
    limits.memory = memory_;
    return parts_.model.reserve(limits);
}

Result<api::TrainResult> Trainer::loop() {
    // Before the first step, or one that a stop cut short.
    if (evaluationDue())
        if (auto done = evaluate(); !done) return fail(std::move(done).error());
    while (state_.step < plan_.total_steps) {
        const auto next = controls_.betweenSteps([this] { return saveUnsaved(); });
        if (!next) return fail(next.error().cancelled() ? keepWhatIsFinished(next.error()) : next.error());
        if (*next == Controls::Next::Stop) {
            STUDIO_CHECK(saveUnsaved());
            return api::TrainResult{state_, api::TrainResult::End::Stopped};
        }
        const auto metrics = stepWithRoom();
        if (!metrics) return fail(keepWhatIsFinished(metrics.error()));
        STUDIO_CHECK(afterStep(*metrics));
    }
    // The last evaluation is still due only if a stop cut it short.
    return api::TrainResult{state_, evaluationDue() ? api::TrainResult::End::Stopped : api::TrainResult::End::Finished};
}

Result<void> Trainer::afterStep(const api::StepMetrics& metrics) {
    STUDIO_CHECK(parts_.observer.onStep(metrics));
    parts_.job.report(
        {"Training", static_cast<std::uint64_t>(state_.step), static_cast<std::uint64_t>(plan_.total_steps), "steps"});
    if (metrics.skipped && state_.skipped_in_a_row % kMaxSkippedInARow == 0) {
        Error error{
            ErrorCode::OutOfRange,
            fmt::format("Loss or gradient was not a finite number in {} steps in a row, up to step {} (loss {}, "
                        "gradient norm {}); none of these updates was applied.",
                        state_.skipped_in_a_row, state_.step, metrics.loss, metrics.grad_norm),
            saved_step_ > 0
                ? fmt::format("The last checkpoint is of step {}. Lower learning_rate or max_grad_norm and start from "
                              "there.",
                              saved_step_)
                : "There is no checkpoint yet. Lower learning_rate or max_grad_norm and start again."};
        if (!parts_.observer.onUpdatesSkipped(error)) return fail(std::move(error));
        parts_.mailbox.pause();
    }
    if (evaluationDue())
        if (auto done = evaluate(); !done) return fail(keepWhatIsFinished(std::move(done).error()));
    return saveIfDue();
}

bool Trainer::evaluationDue() const {
    if (!parts_.evaluation || state_.last_eval_step == state_.step) return false;
    if (state_.step == 0) return plan_.eval_on_start;
    const bool regular = plan_.eval_steps > 0 && state_.step % plan_.eval_steps == 0;
    return regular || (plan_.eval_at_end && state_.step == plan_.total_steps);
}

namespace {

// Adds up the loss and lets other threads in between; ends when the run is to stop.
class MeanLoss final : public api::LossObserver {
  public:
    explicit MeanLoss(Controls& controls) : controls_(controls) {}

    Result<void> onBatch(const dataset::Batch& batch, std::span<const float> target_nll) noexcept override {
        loss.add(batch, target_nll);
        controls_.serveTask();
        stopped = controls_.stopRequested();
        if (stopped) return cancelled();
        return {};
    }

    WeightedLoss loss;
    bool stopped = false;

  private:
    Controls& controls_;
};

}  // namespace

Result<void> Trainer::evaluate() {
    MeanLoss mean(controls_);
    auto done = eachLoss(parts_.model, *parts_.evaluation, 1, mean, parts_.job);
    if (mean.stopped) return {};  // resume makes up for it
    if (!done && done.error().code == ErrorCode::OutOfMemory)
        done.error().hint = "Lower per_device_eval_batch_size and resume, or close other programs.";
    STUDIO_CHECK(std::move(done));
    const double loss = mean.loss.mean();
    state_.last_eval_step = state_.step;
    state_.has_eval_loss = std::isfinite(loss);  // a state is written as JSON, which has finite numbers only
    state_.last_eval_loss = state_.has_eval_loss ? loss : 0;
    const bool best = state_.best_step < 0 || loss < state_.best_eval_loss;
    if (state_.step > 0 && state_.has_eval_loss && best) {
        state_.best_eval_loss = loss;
        state_.best_step = state_.step;
    }
    return parts_.observer.onEvaluation(state_.step, loss);
}

Result<void> Trainer::saveIfDue() {
    // Between skipped updates the adapter may be what makes the loss infinite: the last good checkpoint stays the last.
    const bool regular = plan_.save_steps > 0 && state_.step % plan_.save_steps == 0 && state_.skipped_in_a_row == 0;
    if (regular || state_.step == plan_.total_steps) return saveUnsaved();
    return {};
}

Result<void> Trainer::saveUnsaved() {
    if (saved_step_ == state_.step) return {};
    AdapterParameters& adapter = parts_.model.adapter();
    if (auto* device = parts_.model.device()) STUDIO_CHECK(optimizer_.fetch(adapter, *device));
    if (!std::isfinite(norm(adapter.values()))) {
        return fail(
            ErrorCode::OutOfRange,
            fmt::format("The adapter has values that are not finite after step {} and was not saved.", state_.step),
            fmt::format("The last checkpoint is of step {}. Lower learning_rate and start from there.", saved_step_));
    }
    const api::Checkpoint checkpoint{state_, adapter.valueViews(), optimizer_.views(adapter)};
    for (;;) {
        const auto saved = parts_.sink.save(checkpoint);
        if (saved) break;
        parts_.log.error(fmt::format("The checkpoint of step {} was not saved: {}", state_.step, saved.error().text()));
        if (!parts_.sink.retry(saved.error())) return saved;
    }
    saved_step_ = state_.step;
    return {};
}

// The running step is discarded; the finished ones are not. If even saving fails, that is the error to hear about.
Error Trainer::keepWhatIsFinished(Error error) {
    if (error.code == ErrorCode::DeviceLost) return error;  // nothing can be read back: the last checkpoint stays it
    const auto saved = saveUnsaved();
    return saved ? error : saved.error();
}

}  // namespace studio::engine
