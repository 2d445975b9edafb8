// PhiModel as training, evaluation and generating see it.
#pragma once

#include <memory>
#include <utility>

#include "engine/border/health.h"
#include "engine/generate/decoder.h"
#include "engine/model/phi_model.h"
#include "engine/train/trainable_model.h"

namespace studio::engine {

// What LibTorch throws becomes an error here already, so that the loop can keep what is finished.
class TrainablePhi final : public TrainableModel {
  public:
    explicit TrainablePhi(PhiModel& phi) : phi_(phi) {}

    Result<void> forward(const dataset::Batch& batch, const ForwardOptions& options,
                         std::span<float> target_nll) override {
        return guarded(options.training ? "training" : "computing losses",
                       [&] { return phi_.forward(batch, options, target_nll); });
    }
    Result<void> backward() override {
        return guarded("training", [&] { return phi_.backward(1); });
    }
    Result<void> reserve(const Limits& limits) override {
        return guarded("making room for the largest batch", [&] { return phi_.reserve(limits); });
    }
    void freeMemory() noexcept override { phi_.freeMemory(); }
    AdapterParameters& adapter() override { return phi_.adapter(); }
    DeviceParameters* device() override { return phi_.device(); }

  private:
    PhiModel& phi_;
};

// Keeps the model alive as long as an answer grows.
class PhiDecoder final : public Decoder {
  public:
    PhiDecoder(std::shared_ptr<PhiModel> phi, std::unique_ptr<KvCache> cache, double adapter_strength,
               std::shared_ptr<DeviceHealth> health)
        : phi_(std::move(phi)),
          cache_(std::move(cache)),
          adapter_strength_(adapter_strength),
          health_(std::move(health)) {}

    Result<void> append(std::span<const int> tokens, std::span<float> last_logits, std::stop_token stop) override {
        return health_->guarded("computing an answer", [&] {
            return phi_->step(*cache_, tokens, adapter_strength_, last_logits, std::move(stop));
        });
    }
    Result<void> appendEach(std::span<const Next> next) override {
        return health_->guarded("computing answers", [&] {
            std::vector<NextToken> all;
            for (const Next& one : next) {
                const auto& other = static_cast<PhiDecoder&>(*one.sequence);
                all.push_back({other.cache_.get(), one.token, other.adapter_strength_, one.logits, one.then});
            }
            return phi_->stepEach(all);
        });
    }
    int size() const override { return cache_->size(); }
    int capacity() const override { return cache_->capacity(); }

  private:
    std::shared_ptr<PhiModel> phi_;
    std::unique_ptr<KvCache> cache_;
    double adapter_strength_;
    std::shared_ptr<DeviceHealth> health_;
};

}  // namespace studio::engine
