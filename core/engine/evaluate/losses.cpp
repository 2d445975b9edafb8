#include "engine/evaluate/losses.h"

#include <algorithm>
#include <vector>

namespace studio::engine {

void WeightedLoss::add(const dataset::Batch& batch, std::span<const float> target_nll) {
    for (std::size_t i = 0; i < batch.targets.size(); ++i) {
        const double w = batch.targets[i].weight;
        if (w == 0) continue;  // 0 · inf would be no number
        sum += w * target_nll[i];
        weight += w;
    }
}

Result<void> eachLoss(LossModel& model, dataset::BatchSource& data, double adapter_strength,
                      api::LossObserver& observer, const JobContext& job) {
    STUDIO_CHECK(data.seek({}));
    ForwardOptions options;
    options.adapter_strength = adapter_strength;
    options.stop = job.stop;
    const auto total = static_cast<std::uint64_t>(std::max(0, data.microBatches(0)));
    dataset::Batch batch;
    std::vector<float> nll;
    for (std::uint64_t done = 0;; ++done) {
        if (job.stopped()) return cancelled();
        job.report({"Evaluating", done, total, "batches"});
        STUDIO_TRY(const bool more, data.next(batch));
        if (!more) return {};
        nll.assign(batch.targets.size(), 0.0f);
        if (!batch.targets.empty()) {
            auto passed = model.forward(batch, options, nll);
            if (!passed && passed.error().code == ErrorCode::OutOfMemory) {
                model.freeMemory();
                passed = model.forward(batch, options, nll);
            }
            STUDIO_CHECK(std::move(passed));
        }
        STUDIO_CHECK(observer.onBatch(batch, nll));
    }
}

}  // namespace studio::engine
