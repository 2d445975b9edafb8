#include "engine/border/engine.h"

#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include "engine/border/engine_model.h"
#include "engine/border/product_rate.h"

namespace studio::engine {
namespace {

std::string describeBuild() {
    std::string blas = at::get_mkl_version();
    blas.resize(std::min(blas.find('\n'), blas.size()));
    return std::string("LibTorch ") + TORCH_VERSION + ", " + blas;
}

}  // namespace

LocalEngine::LocalEngine(const api::Services& services, Makers makers)
    : log_(services.log ? services.log : makeNullLogger()), build_info_(describeBuild()), makers_(std::move(makers)) {}

api::DeviceInfo LocalEngine::device() const noexcept {
    const auto info = health_->guarded("asking for the device", [] { return Result<api::DeviceInfo>(bestDevice()); });
    if (info) device_ = *info;
    return device_;
}

Result<api::DeviceInfo> LocalEngine::deviceFor(const std::string& words) const noexcept {
    return health_->guarded("asking for the device", [&] { return studio::engine::deviceFor(words); });
}

Result<api::MemoryUse> LocalEngine::planMemory(const api::ModelSource& source, const api::LoraSpec& spec,
                                               const api::BatchSize& batch, const api::TrainPlan& plan) noexcept {
    return health_->guarded("planning the memory", [&] { return makers_.plan(source, spec, batch, plan); });
}

Result<std::unique_ptr<api::Model>> LocalEngine::load(const api::ModelSource& source, const JobContext& job) noexcept {
    return health_->guarded("loading the model", [&]() -> Result<std::unique_ptr<api::Model>> {
        const auto open = [&] {
            return guarded("loading the model", [&] { return makers_.open(source, *log_, job); });
        };
        auto phi = open();
        if (!phi && phi.error().code == ErrorCode::OutOfMemory) {
            log_->warning(phi.error().message + " It is tried once more with what can be given back.");
            emptyCache();
            phi = open();
        }
        if (!phi && phi.error().code == ErrorCode::OutOfMemory)
            phi.error().hint = std::string("Close other programs") +
                               (source.load_in_4bit ? "" : ", set load_in_4bit to true") +
                               " or use a smaller model; on a GPU, the device cpu needs none of its memory.";
        if (!phi) return fail(std::move(phi).error());
        return std::make_unique<EngineModel>(std::move(*phi), log_, health_);
    });
}

Result<api::ProductRate> LocalEngine::productRate(const std::string& device, const JobContext& job) noexcept {
    return health_->guarded("measuring the device", [&] { return studio::engine::productRate(device, job); });
}

}  // namespace studio::engine
