// PhiModel on an NVIDIA GPU: bf16 activations, float32 statistics, losses, gradients and adapter.
#pragma once

#include "engine/model/phi_model.h"

namespace studio::engine::gpu {

class GpuPhi final : public PhiModel {
  public:
    // On the card of this index. Errors: no room, a checkpoint that is not phi's, widths the kernels cannot take.
    static Result<std::unique_ptr<GpuPhi>> load(const api::ModelSource& source, int card, Logger* log,
                                                const JobContext& job);
    // Why the kernels cannot compute the model in this folder; empty if they can.
    static Result<std::string> unsupported(const std::string& folder);
    ~GpuPhi() override;
    GpuPhi(const GpuPhi&) = delete;
    GpuPhi& operator=(const GpuPhi&) = delete;

    const api::ModelInfo& info() const noexcept override;
    api::MemoryUse memory() const noexcept override;
    void resetPeak() noexcept override;
    std::vector<std::string> linearNames() const override;
    Result<void> createAdapter(const api::LoraSpec& spec) override;
    Result<void> loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) override;
    void dropAdapter() noexcept override;
    bool hasAdapter() const noexcept override;
    AdapterParameters& adapter() noexcept override;
    const AdapterParameters& adapter() const noexcept override;
    DeviceParameters* device() noexcept override;
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

    // Whether one token is computed by kernels made for it (token_graph.h) rather than by those of a batch.
    bool decodesInOneGraph() const;

    struct State;

  private:
    explicit GpuPhi(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace studio::engine::gpu
