#include "engine/border/open_model.h"

#include "engine/kernels/device.h"
#ifdef STUDIO_CUDA
#include "engine/gpu/gpu_phi.h"
#include "engine/gpu/plan.h"
#include "engine/kernels/gpu.h"
#include "engine/train/plan_check.h"
#endif

namespace studio::engine {

#ifdef STUDIO_CUDA
namespace {

Result<std::unique_ptr<PhiModel>> onGpu(const api::ModelSource& source, Logger& log, const JobContext& job) {
    STUDIO_TRY(const auto cards, kernels::gpu::cards());
    // "cuda" is the first card, "cuda:GPU-…" the one with this UUID.
    int card = cards.front().index;
    if (const auto colon = source.device.find(':'); colon != std::string::npos) {
        card = -1;
        for (const auto& one : cards)
            if (one.uuid == source.device.substr(colon + 1)) card = one.index;
        if (card < 0)
            return fail(ErrorCode::Device, "The GPU " + source.device.substr(colon + 1) + " is not in this machine.",
                        "Choose the device auto, or another card.");
    }
    STUDIO_TRY(auto model, gpu::GpuPhi::load(source, card, &log, job));
    return std::unique_ptr<PhiModel>(std::move(model));
}

}  // namespace

Result<std::unique_ptr<PhiModel>> openModel(const api::ModelSource& source, Logger& log, const JobContext& job) {
    if (source.device.starts_with("cuda")) return onGpu(source, log, job);
    if (source.device == "auto") {
        if (const auto cards = kernels::gpu::cards(); !cards) {
            log.info(cards.error().message + " Computing on the processor.");
        } else {
            auto model = onGpu(source, log, job);
            const bool next = !model && (model.error().code == ErrorCode::Unsupported ||
                                         model.error().code == ErrorCode::OutOfMemory);
            if (!next) return model;
            log.warning(model.error().message + " Computing on the processor.");
        }
    }
    return PhiModel::load(source, &log, job);
}

Result<api::MemoryUse> planTraining(const api::ModelSource& source, const api::LoraSpec& spec,
                                    const api::BatchSize& batch, const api::TrainPlan& plan) {
    const auto cards = kernels::gpu::cards();
    if (source.device == "cpu" || !cards) return api::MemoryUse{};
    STUDIO_TRY(const config::PhiConfig config, config::readPhiConfig(source.folder));
    gpu::PlanRequest request;
    request.load_in_4bit = source.load_in_4bit;
    request.double_quant = source.double_quant;
    request.limits.rows = batch.rows;
    request.limits.targets = batch.targets;
    request.limits.key_rows = batch.key_rows;
    request.limits.memory = memoryMode(plan.memory_mode).value_or(MemoryMode::Auto);
    request.equal_length = batch.equal_length && !plan.deterministic;
    request.dropout = plan.lora_dropout > 0 || plan.resid_dropout > 0;
    const auto state = kernels::gpu::memoryState(cards->front().index);
    request.available = state.free + state.allocated;
    return gpu::planMemory(config, spec, request);
}

api::DeviceInfo bestDevice() {
    if (const auto cards = kernels::gpu::cards()) {
        const auto& card = cards->front();
        return {"cuda", card.name, card.uuid, card.memory_bytes, kernels::deviceInfo().threads};
    }
    return kernels::deviceInfo();
}
#else
Result<api::MemoryUse> planTraining(const api::ModelSource&, const api::LoraSpec&, const api::BatchSize&,
                                    const api::TrainPlan&) {
    return api::MemoryUse{};
}

Result<std::unique_ptr<PhiModel>> openModel(const api::ModelSource& source, Logger& log, const JobContext& job) {
    if (source.device.starts_with("cuda"))
        return fail(ErrorCode::Unsupported, "The model cannot be loaded on a GPU: this engine was built without CUDA.",
                    "Run `STUDIO_CUDA=1 make setup` and `make build`, or choose the device cpu.");
    return PhiModel::load(source, &log, job);
}

api::DeviceInfo bestDevice() {
    return kernels::deviceInfo();
}
#endif

}  // namespace studio::engine
