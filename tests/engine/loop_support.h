// A model of two small matrices, data in memory, and observers that write down what they hear: enough to run the whole
// training loop in a millisecond.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/api/engine.h"
#include "engine/train/trainer.h"

namespace studio::test {

// logits of a row = B · (A[:, token] · mask): gradients of A and B by hand, dropout by a counter-based mask.
class TinyModel final : public engine::TrainableModel {
  public:
    static constexpr int kVocab = 7, kRank = 3;
    TinyModel();

    engine::AdapterParameters& adapter() override { return adapter_; }
    Result<void> forward(const dataset::Batch& batch, const engine::ForwardOptions& options,
                         std::span<float> target_nll) override;
    Result<void> backward() override;

    // Called at the start of every forward pass with its number, from 1.
    std::function<void(int)> on_forward;
    std::function<Result<void>(int)> fail_forward;  // the pass's result, when set
    bool break_gradients = false;                   // backward gives NaN

  private:
    float mask(const engine::ForwardOptions& options, int row, int rank) const;

    engine::AdapterParameters adapter_;
    dataset::Batch batch_;
    engine::ForwardOptions options_;
    int forwards_ = 0;
};

// One row a token; the target of each row is (token + 1) mod vocabulary with weight 1.
dataset::Batch sequence(const std::vector<int>& tokens, float weight = 1);

// Epoch e begins with batch e mod n and goes round.
class ListSource final : public dataset::BatchSource {
  public:
    explicit ListSource(std::vector<dataset::Batch> batches) : batches_(std::move(batches)) {}
    Result<bool> next(dataset::Batch& batch) noexcept override;
    Result<void> seek(dataset::StreamPosition position) noexcept override;
    int microBatches(int) noexcept override { return static_cast<int>(batches_.size()); }

  private:
    std::vector<dataset::Batch> batches_;
    dataset::StreamPosition position_;
};

// Five micro-batches with 1 to 5 targets.
std::vector<dataset::Batch> unequalBatches();

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
    void onPaused(bool paused) noexcept override;
    Result<void> save(const engine::api::Checkpoint& checkpoint) noexcept override;
    bool retry(const Error& error) noexcept override { return on_retry && on_retry(error); }

    const KeptCheckpoint* at(std::int64_t step) const;

    std::vector<std::string> lines;    // "step 1 loss …", "eval 1 …", "save 1", "pause", "resume"
    std::vector<std::string> metrics;  // the steps and evaluations among them
    std::vector<engine::api::StepMetrics> steps;
    std::vector<KeptCheckpoint> checkpoints;
    std::function<bool(const Error&)> on_retry;
    std::function<Result<void>(std::int64_t)> on_save, on_step;
    std::function<void(bool)> on_pause;
};

class ListLogger final : public Logger {
  public:
    void write(LogLevel level, std::string_view message) noexcept override;
    std::vector<std::string> warnings;  // and errors
};

// Everything a run needs, with defaults that a test changes.
struct Run {
    Run();
    Result<engine::api::TrainResult> go(const engine::api::Checkpoint* resume = nullptr);
    std::string adapterBytes();
    std::vector<std::string> stepsAndEvaluations() const { return record.metrics; }

    TinyModel model;
    std::unique_ptr<engine::api::Model> live;
    ListSource data{unequalBatches()}, evaluation{unequalBatches()};
    bool evaluates = false;
    engine::api::TrainPlan plan;
    engine::api::Mailbox mailbox;
    std::stop_source stop;
    Record record;
    ListLogger log;
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
