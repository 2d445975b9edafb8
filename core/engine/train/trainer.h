// The training loop: micro-batches → one loss → one update → metrics → evaluation → checkpoint.
#pragma once

#include <vector>

#include "base/job.h"
#include "base/log.h"
#include "base/result.h"
#include "engine/api/engine.h"
#include "engine/api/schedule.h"
#include "engine/train/controls.h"
#include "engine/train/optimizer.h"
#include "engine/train/trainable_model.h"

namespace studio::engine {

// Runs one plan once. Everything that decides the next step is in TrainerState, the adapter and the optimizer's
// moments, so that a run resumed from a checkpoint continues byte for byte as if it had never stopped.
class Trainer {
  public:
    // Updates skipped in a row, because loss or gradient was not finite, after which the run pauses or is given up.
    static constexpr int kMaxSkippedInARow = 5;

    struct Parts {
        TrainableModel& model;
        api::Model& live;  // the same model as tasks of the mailbox see it
        dataset::BatchSource& data;
        dataset::BatchSource* evaluation;  // may be null
        api::TrainObserver& observer;
        api::CheckpointSink& sink;
        api::Mailbox& mailbox;
        const JobContext& job;
        Logger& log;
    };
    static Result<api::TrainResult> run(const api::TrainPlan& plan, const Parts& parts, const api::Checkpoint* resume);

  private:
    Trainer(const api::TrainPlan& plan, const Parts& parts, api::Schedule schedule, Optimizer optimizer);

    Result<void> begin(const api::Checkpoint* resume);
    // Adapter and optimizer where the model is, and buffers for the largest micro-batch.
    Result<void> takeRoom();
    Result<api::TrainResult> loop();
    Result<void> afterStep(const api::StepMetrics& metrics);

    // One optimizer step. Adapter, moments and state change together at its end, or, with an error, not at all.
    Result<api::StepMetrics> step();
    // Once more where memory ran out, with what can be given back: the second is the same step.
    Result<api::StepMetrics> stepWithRoom();
    bool givesRoom(const Error& error);
    void noteSamples();
    Result<void> microBatch(std::int64_t index, WeightedLoss& loss, api::StepMetrics& metrics);
    Result<void> fetch();
    Result<void> update(const WeightedLoss& loss, api::StepMetrics& metrics);

    bool evaluationDue() const;
    Result<void> evaluate();
    Result<void> saveIfDue();
    Result<void> saveUnsaved();
    Error keepWhatIsFinished(Error error);

    const api::TrainPlan& plan_;
    Parts parts_;
    api::Schedule schedule_;
    Optimizer optimizer_;
    Controls controls_;
    MemoryMode memory_;
    api::TrainerState state_;
    std::int64_t saved_step_ = 0;  // step 0 needs no checkpoint
    dataset::Batch batch_;
    std::vector<float> nll_;
    // Examples of the running step: all, and those whose loss is not finite.
    std::vector<dataset::SampleId> samples_, not_finite_;
};

}  // namespace studio::engine
