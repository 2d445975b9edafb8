#include "engine/border/open_model.h"

#include "engine/kernels/device.h"
#ifdef STUDIO_CUDA
#include "engine/gpu/gpu_phi.h"
#include "engine/gpu/plan.h"
#include "engine/kernels/gpu.h"
#include "engine/kernels/memory.h"
#include "engine/train/plan_check.h"
#endif
#include "machine/device.h"

namespace studio::engine {

#ifdef STUDIO_CUDA
namespace {

// Of the driver for this process on one card, about: kernels, stacks, queues.
constexpr std::uint64_t kContextBytes = std::uint64_t{512} << 20;

// Of the cards there are, the one that `device` means.
Result<kernels::gpu::Card> cardFor(const std::string& device) {
    STUDIO_TRY(const auto choice, machine::parseDevice(device));
    STUDIO_TRY(const auto cards, kernels::gpu::cards());
    std::vector<machine::CardName> names;
    for (const auto& card : cards) names.push_back({card.index, card.name, card.uuid});
    STUDIO_TRY(const std::size_t chosen, machine::chooseCard(choice, names));
    return cards[chosen];
}

api::DeviceInfo describe(const kernels::gpu::Card& card) {
    return {"cuda", card.name, card.uuid, card.memory_bytes, kernels::deviceInfo().threads};
}

Result<std::unique_ptr<PhiModel>> onGpu(const api::ModelSource& source, Logger& log, const JobContext& job) {
    STUDIO_TRY(const auto card, cardFor(source.device));
    STUDIO_TRY(auto model, gpu::GpuPhi::load(source, card.index, &log, job));
    return std::unique_ptr<PhiModel>(std::move(model));
}

}  // namespace

Result<std::unique_ptr<PhiModel>> openModel(const api::ModelSource& source, Logger& log, const JobContext& job) {
    STUDIO_TRY(const auto choice, machine::parseDevice(source.device));
    if (choice.kind == machine::DeviceChoice::Kind::Cuda) return onGpu(source, log, job);
    if (choice.kind == machine::DeviceChoice::Kind::Auto) {
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
    if (source.device == "cpu") return api::MemoryUse{};
    const auto card = cardFor(source.device);
    if (!card && source.device == "auto") return api::MemoryUse{};
    STUDIO_CHECK(card);
    STUDIO_TRY(const config::PhiConfig config, config::readPhiConfig(source.folder));
    gpu::PlanRequest request;
    request.load_in_4bit = source.load_in_4bit;
    request.double_quant = source.double_quant;
    request.limits.rows = batch.rows;
    request.limits.targets = batch.targets;
    request.limits.key_rows = batch.key_rows;
    request.limits.memory = memoryMode(plan.memory_mode).value_or(MemoryMode::Auto);
    request.equal_length = batch.equal_length && !plan.deterministic;
    request.limits.dropout = plan.lora_dropout > 0 || plan.resid_dropout > 0;
    const auto state = kernels::gpu::memoryState(card->index);
    request.available = state.free + state.allocated;
    request.host_available = kernels::availableMemory();
    STUDIO_TRY(api::MemoryUse use, gpu::planMemory(config, spec, request));
    use.context_bytes = kContextBytes;
    use.free_bytes = request.available > gpu::kMargin ? request.available - gpu::kMargin : 0;
    return use;
}

void emptyCache() {
    kernels::gpu::emptyCache();
}

api::DeviceInfo bestDevice() {
    if (const auto card = cardFor("auto")) return describe(*card);
    return kernels::deviceInfo();
}

Result<api::DeviceInfo> deviceFor(const std::string& words) {
    STUDIO_TRY(const auto choice, machine::parseDevice(words));
    if (choice.kind == machine::DeviceChoice::Kind::Auto) return bestDevice();
    if (choice.kind == machine::DeviceChoice::Kind::Cpu) return kernels::deviceInfo();
    STUDIO_TRY(const auto card, cardFor(words));
    return describe(card);
}
#else
Result<api::MemoryUse> planTraining(const api::ModelSource&, const api::LoraSpec&, const api::BatchSize&,
                                    const api::TrainPlan&) {
    return api::MemoryUse{};
}

Result<api::DeviceInfo> deviceFor(const std::string& words) {
    STUDIO_TRY(const auto choice, machine::parseDevice(words));
    if (choice.kind == machine::DeviceChoice::Kind::Cuda)
        return fail(ErrorCode::Unsupported, "No GPU can be used: this engine was built without CUDA.",
                    "Run `STUDIO_CUDA=1 make setup` and `make build`, or choose the device cpu.");
    return kernels::deviceInfo();
}

Result<std::unique_ptr<PhiModel>> openModel(const api::ModelSource& source, Logger& log, const JobContext& job) {
    STUDIO_CHECK(deviceFor(source.device));
    if (source.device == "auto") log.info("This engine was built without CUDA. Computing on the processor.");
    return PhiModel::load(source, &log, job);
}

void emptyCache() {}

api::DeviceInfo bestDevice() {
    return kernels::deviceInfo();
}
#endif

}  // namespace studio::engine
