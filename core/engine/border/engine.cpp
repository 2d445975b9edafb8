#include "engine/border/engine.h"

#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include "engine/border/engine_model.h"
#include "engine/border/guard.h"
#include "engine/border/open_model.h"

namespace studio::engine {
namespace {

std::string describeBuild() {
    std::string blas = at::get_mkl_version();
    blas.resize(std::min(blas.find('\n'), blas.size()));
    return std::string("LibTorch ") + TORCH_VERSION + ", " + blas;
}

}  // namespace

LocalEngine::LocalEngine(const api::Services& services)
    : log_(services.log ? services.log : makeNullLogger()), build_info_(describeBuild()) {}

api::DeviceInfo LocalEngine::device() const noexcept {
    const auto info = guarded("asking for the device", [] { return Result<api::DeviceInfo>(bestDevice()); });
    return info ? *info : api::DeviceInfo{};
}

Result<api::MemoryUse> LocalEngine::planMemory(const api::ModelSource& source, const api::LoraSpec& spec,
                                               const api::BatchSize& batch, const api::TrainPlan& plan) noexcept {
    return guarded("planning the memory", [&] { return planTraining(source, spec, batch, plan); });
}

Result<std::unique_ptr<api::Model>> LocalEngine::load(const api::ModelSource& source, const JobContext& job) noexcept {
    return guarded("loading the model", [&]() -> Result<std::unique_ptr<api::Model>> {
        STUDIO_TRY(auto phi, openModel(source, *log_, job));
        return std::make_unique<EngineModel>(std::move(phi), log_);
    });
}

}  // namespace studio::engine
