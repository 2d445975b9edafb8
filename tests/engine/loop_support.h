// A model of two small matrices: enough to run the whole training loop in a millisecond.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/run_support.h"
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
    void freeMemory() noexcept override { ++freed; }
    engine::DeviceParameters* device() override { return on_device.get(); }

    // Called at the start of every forward pass with its number, from 1.
    std::function<void(int)> on_forward;
    std::function<Result<void>(int)> fail_forward;  // the pass's result, when set
    bool break_gradients = false;                   // backward gives NaN
    std::unique_ptr<engine::DeviceParameters> on_device;
    int freed = 0;  // how often memory was given back

  private:
    float mask(const engine::ForwardOptions& options, int row, int rank) const;

    engine::AdapterParameters adapter_;
    dataset::Batch batch_;
    engine::ForwardOptions options_;
    int forwards_ = 0;
};

// One row a token; the target of each row is (token + 1) mod vocabulary with weight 1.
dataset::Batch sequence(const std::vector<int>& tokens, float weight = 1);

// Five micro-batches with 1 to 5 targets.
std::vector<dataset::Batch> unequalBatches();

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

}  // namespace studio::test
