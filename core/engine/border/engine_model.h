// A loaded model as the rest of the program sees it.
#pragma once

#include <memory>

#include "engine/api/engine.h"
#include "engine/border/health.h"
#include "engine/model/phi_model.h"

namespace studio::engine {

class EngineModel final : public api::Model {
  public:
    EngineModel(std::unique_ptr<PhiModel> phi, std::shared_ptr<Logger> log, std::shared_ptr<DeviceHealth> health);

    const api::ModelInfo& info() const noexcept override { return phi_->info(); }
    api::MemoryUse memory() const noexcept override { return phi_->memory(); }

    Result<void> createAdapter(const api::LoraSpec& spec) noexcept override;
    Result<void> loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) noexcept override;
    void dropAdapter() noexcept override;
    bool hasAdapter() const noexcept override { return phi_->hasAdapter(); }
    std::vector<io::TensorView> adapter() const noexcept override;

    Result<api::TrainResult> train(const api::TrainPlan& plan, dataset::BatchSource& data,
                                   dataset::BatchSource* evaluation, const api::Checkpoint* resume,
                                   api::TrainObserver& observer, api::CheckpointSink& sink, api::Mailbox& mailbox,
                                   const JobContext& job) noexcept override;
    Result<void> losses(dataset::BatchSource& data, double adapter_strength, api::LossObserver& observer,
                        const JobContext& job) noexcept override;
    Result<api::GradientDump> gradients(const dataset::Batch& batch, bool with_logits) noexcept override;
    Result<std::unique_ptr<api::Generation>> generate(const api::GenerateRequest& request) noexcept override;
    void nextOfEach(std::span<api::Generation* const> answers,
                    std::span<Result<api::GeneratedToken>> tokens) noexcept override;

  private:
    // Tasks of the mailbox run inside train(): they may look at the adapter, not change it or its gradients.
    Result<void> notWhileTraining() const;
    Result<void> needAdapter() const;
    // body(), and once more where memory ran out and a run does not need what can be given back.
    template <class Body>
    auto withRoom(std::string_view doing, Body&& body) -> decltype(body());

    std::shared_ptr<PhiModel> phi_;
    std::shared_ptr<Logger> log_;
    std::shared_ptr<DeviceHealth> health_;
    bool training_ = false;
};

}  // namespace studio::engine
