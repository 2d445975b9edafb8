// The engine: opens models on this machine.
#pragma once

#include <memory>
#include <string>

#include "engine/api/engine.h"

namespace studio::engine {

class LocalEngine final : public api::Engine {
  public:
    explicit LocalEngine(const api::Services& services);

    api::DeviceInfo device() const noexcept override;
    std::string_view buildInfo() const noexcept override { return build_info_; }
    Result<api::MemoryUse> planMemory(const api::ModelSource& source, const api::LoraSpec& spec,
                                      const api::BatchSize& batch, const api::TrainPlan& plan) noexcept override;
    Result<std::unique_ptr<api::Model>> load(const api::ModelSource& source, const JobContext& job) noexcept override;

  private:
    std::shared_ptr<Logger> log_;
    std::string build_info_;
};

}  // namespace studio::engine
