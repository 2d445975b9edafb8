// The engine's observer and checkpoint sink of a run: everything it tells goes to the run folder and to the listener.
#pragma once

#include "engine/api/engine.h"
#include "jobs/train.h"
#include "jobs/train_setup.h"
#include "project/checkpoint.h"
#include "project/run_log.h"

namespace studio::jobs {

class RunWriter final : public engine::api::TrainObserver, public engine::api::CheckpointSink {
  public:
    // `resumed` null: a new run. Writes the samples of step 0 (recipe: sample_prompts).
    static Result<RunWriter> open(std::shared_ptr<io::FileOps> ops, const std::filesystem::path& run_folder,
                                  ReadyToTrain& ready, const engine::api::TrainerState* resumed,
                                  TrainListener& listener);

    Result<void> onStep(const engine::api::StepMetrics& metrics) noexcept override;
    Result<void> onEvaluation(std::int64_t step, double loss) noexcept override;
    bool onUpdatesSkipped(Error& error) noexcept override;
    void onPaused(bool paused) noexcept override { listener_.onPaused(paused); }
    Result<void> save(const engine::api::Checkpoint& checkpoint) noexcept override;
    bool retry(const Error& error) noexcept override;

    // A loss measured before the first or after the last step.
    Result<void> evaluationUnlessLogged(std::int64_t step, double loss);

  private:
    RunWriter(std::shared_ptr<io::FileOps> ops, const std::filesystem::path& run_folder, ReadyToTrain& ready,
              project::RunLog log, TrainListener& listener)
        : ops_(std::move(ops)), folder_(run_folder), ready_(ready), log_(std::move(log)), listener_(listener) {}
    Result<void> samples(std::int64_t step);

    std::shared_ptr<io::FileOps> ops_;
    std::filesystem::path folder_;
    ReadyToTrain& ready_;
    project::RunLog log_;
    TrainListener& listener_;
    std::int64_t last_evaluation_ = -1;
    std::vector<project::Conversation> suspects_;  // of the skipped updates in a row
};

}  // namespace studio::jobs
