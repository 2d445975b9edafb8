// The loss of every target of a data set, batch by batch, without dropout.
#pragma once

#include <span>

#include "base/job.h"
#include "base/result.h"
#include "dataset/batch/batch.h"
#include "engine/api/engine.h"
#include "engine/model/phi_model.h"

namespace studio::engine {

// What computing losses needs of a model.
class LossModel {
  public:
    virtual ~LossModel() = default;
    // target_nll[i]: nats of batch.targets[i].
    virtual Result<void> forward(const dataset::Batch& batch, const ForwardOptions& options,
                                 std::span<float> target_nll) = 0;
    // Gives back what the next pass makes anew.
    virtual void freeMemory() noexcept {}
};

// Σ w·nll and Σ w, added up in double in the order of the targets.
struct WeightedLoss {
    double sum = 0, weight = 0;

    void add(const dataset::Batch& batch, std::span<const float> target_nll);
    double mean() const { return weight > 0 ? sum / weight : 0; }  // nats a supervised token
};

// Goes once through `data`, from its first micro-batch. A batch without targets is not computed, but the observer hears
// of it. A pass that memory ran out for is tried once more with what can be given back. The observer's error ends it
// and is returned.
Result<void> eachLoss(LossModel& model, dataset::BatchSource& data, double adapter_strength,
                      api::LossObserver& observer, const JobContext& job);

}  // namespace studio::engine
