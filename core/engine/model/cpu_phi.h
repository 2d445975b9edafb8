// PhiModel on the processor, float32 throughout.
#pragma once

#include "engine/model/phi_model.h"

namespace studio::engine {

class CpuPhi final : public PhiModel {
  public:
    struct State;
    explicit CpuPhi(std::unique_ptr<State> state);
    ~CpuPhi() override;
    CpuPhi(const CpuPhi&) = delete;
    CpuPhi& operator=(const CpuPhi&) = delete;

    const api::ModelInfo& info() const noexcept override;
    std::vector<std::string> linearNames() const override;
    Result<void> createAdapter(const api::LoraSpec& spec) override;
    Result<void> loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) override;
    void dropAdapter() noexcept override;
    bool hasAdapter() const noexcept override;
    AdapterParameters& adapter() noexcept override;
    const AdapterParameters& adapter() const noexcept override;
    Result<void> reserve(const Limits& limits) override;
    std::uint64_t reservedBytes(const Limits& limits) const override;
    void freeMemory() noexcept override;
    Result<void> forward(const dataset::Batch& batch, const ForwardOptions& options,
                         std::span<float> target_nll) override;
    Result<void> backward(float scale) override;
    std::span<const float> keptLogits() const noexcept override;
    Result<std::unique_ptr<KvCache>> newCache(int capacity) override;
    Result<void> step(KvCache& cache, std::span<const int> tokens, double adapter_strength,
                      std::span<float> last_logits, std::stop_token stop) override;
    Result<void> stepEach(std::span<const NextToken> next) override;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace studio::engine
