// The engine: opens models on this machine.
#pragma once

#include <memory>
#include <string>

#include "engine/api/engine.h"
#include "engine/border/health.h"
#include "engine/border/open_model.h"

namespace studio::engine {

class LocalEngine final : public api::Engine {
  public:
    explicit LocalEngine(const api::Services& services, Makers makers = {});

    api::DeviceInfo device() const noexcept override;
    Result<api::DeviceInfo> deviceFor(const std::string& words) const noexcept override;
    std::string_view buildInfo() const noexcept override { return build_info_; }
    Result<api::MemoryUse> planMemory(const api::ModelSource& source, const api::LoraSpec& spec,
                                      const api::BatchSize& batch, const api::TrainPlan& plan) noexcept override;
    Result<std::unique_ptr<api::Model>> load(const api::ModelSource& source, const JobContext& job) noexcept override;
    Result<api::ProductRate> productRate(const std::string& device, const JobContext& job) noexcept override;

  private:
    std::shared_ptr<Logger> log_;
    std::string build_info_;
    Makers makers_;
    std::shared_ptr<DeviceHealth> health_ = std::make_shared<DeviceHealth>();
    mutable api::DeviceInfo device_;  // as last known
};

}  // namespace studio::engine
