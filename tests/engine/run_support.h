// Data in memory and observers that write down what they hear. Needs the engine's api only, no engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/api/engine.h"

namespace studio::test {

// In order; with `rotate` epoch e begins with batch e mod n and goes round.
class ListSource final : public dataset::BatchSource {
  public:
    explicit ListSource(std::vector<dataset::Batch> batches, bool rotate = true)
        : batches_(std::move(batches)), rotate_(rotate) {}
    Result<bool> next(dataset::Batch& batch) noexcept override;
    Result<void> seek(dataset::StreamPosition position) noexcept override;
    int microBatches(int) noexcept override { return static_cast<int>(batches_.size()); }

  private:
    std::vector<dataset::Batch> batches_;
    bool rotate_;
    dataset::StreamPosition position_;
};

// A checkpoint that owns its bytes.
class KeptCheckpoint {
  public:
    explicit KeptCheckpoint(const engine::api::Checkpoint& checkpoint);
    KeptCheckpoint(const KeptCheckpoint&) = delete;
    KeptCheckpoint(KeptCheckpoint&&) = default;
    const engine::api::Checkpoint& view() const { return view_; }
    engine::api::Checkpoint& view() { return view_; }
    std::string bytes() const;  // state (seconds aside) and tensors

  private:
    std::vector<std::vector<std::byte>> data_;
    engine::api::Checkpoint view_;
};

// Writes down steps, evaluations, pauses and saves in one list of lines, times aside.
class Record final : public engine::api::TrainObserver, public engine::api::CheckpointSink {
  public:
    Result<void> onStep(const engine::api::StepMetrics& metrics) noexcept override;
    Result<void> onEvaluation(std::int64_t step, double loss) noexcept override;
    bool onUpdatesSkipped(Error& error) noexcept override { return on_skipped && on_skipped(error); }
    void onPaused(bool paused) noexcept override;
    Result<void> save(const engine::api::Checkpoint& checkpoint) noexcept override;
    bool retry(const Error& error) noexcept override { return on_retry && on_retry(error); }

    const KeptCheckpoint* at(std::int64_t step) const;

    std::vector<std::string> lines;    // "step 1 loss …", "eval 1 …", "save 1", "pause", "resume"
    std::vector<std::string> metrics;  // the steps and evaluations among them
    std::vector<engine::api::StepMetrics> steps;
    std::vector<double> evaluations;
    std::vector<KeptCheckpoint> checkpoints;
    std::function<bool(const Error&)> on_retry;
    std::function<Result<void>(std::int64_t)> on_save, on_step;
    std::function<void(bool)> on_pause;
    std::function<bool(Error&)> on_skipped;
};

class ListLogger final : public Logger {
  public:
    void write(LogLevel level, std::string_view message) noexcept override;
    std::vector<std::string> warnings;  // and errors
};

// A task of the mailbox made of a function.
class Task final : public engine::api::LiveTask {
  public:
    explicit Task(std::function<bool(engine::api::Model&)> work) : work_(std::move(work)) {}
    bool slice(engine::api::Model& model, std::chrono::steady_clock::time_point) noexcept override {
        return work_(model);
    }

  private:
    std::function<bool(engine::api::Model&)> work_;
};

}  // namespace studio::test
