// PhiModel as training, evaluation and generating see it.
#pragma once

#include <memory>
#include <utility>

#include "engine/generate/decoder.h"
#include "engine/model/phi_model.h"
#include "engine/train/trainable_model.h"

namespace studio::engine {

class TrainablePhi final : public TrainableModel {
  public:
    explicit TrainablePhi(PhiModel& phi) : phi_(phi) {}

    Result<void> forward(const dataset::Batch& batch, const ForwardOptions& options,
                         std::span<float> target_nll) override {
        return phi_.forward(batch, options, target_nll);
    }
    Result<void> backward() override { return phi_.backward(1); }
    AdapterParameters& adapter() override { return phi_.adapter(); }
    DeviceParameters* device() override { return phi_.device(); }

  private:
    PhiModel& phi_;
};

// Keeps the model alive as long as an answer grows.
class PhiDecoder final : public Decoder {
  public:
    PhiDecoder(std::shared_ptr<PhiModel> phi, std::unique_ptr<KvCache> cache, double adapter_strength)
        : phi_(std::move(phi)), cache_(std::move(cache)), adapter_strength_(adapter_strength) {}

    Result<void> append(std::span<const int> tokens, std::span<float> last_logits, std::stop_token stop) override {
        return phi_->step(*cache_, tokens, adapter_strength_, last_logits, std::move(stop));
    }
    int size() const override { return cache_->size(); }
    int capacity() const override { return cache_->capacity(); }

  private:
    std::shared_ptr<PhiModel> phi_;
    std::unique_ptr<KvCache> cache_;
    double adapter_strength_;
};

}  // namespace studio::engine
