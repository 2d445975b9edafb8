#include "engine/gpu/gpu_phi.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/gpu/gpu_state.h"
#include "engine/model/phi_checks.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

GpuPhi::GpuPhi(std::unique_ptr<State> state) : state_(std::move(state)) {}

GpuPhi::~GpuPhi() {
    if (state_) (void)k::finish(state_->stream);
}

const api::ModelInfo& GpuPhi::info() const noexcept {
    return state_->info;
}

std::vector<std::string> GpuPhi::linearNames() const {
    return config::linearNames(state_->config);
}

Result<void> GpuPhi::createAdapter(const api::LoraSpec& spec) try {
    k::use(state_->card);
    STUDIO_TRY(Adapter adapter, Adapter::layOut(state_->geometry.shape, state_->info.layers, spec));
    adapter.initialise(spec.seed);
    STUDIO_TRY(auto on_device, GpuAdapter::make(std::move(adapter), state_->geometry.shape, state_->stream));
    state_->setAdapter(std::move(on_device));
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("the adapter"));
}

Result<void> GpuPhi::loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) try {
    k::use(state_->card);
    STUDIO_TRY(Adapter adapter, Adapter::layOut(state_->geometry.shape, state_->info.layers, spec));
    STUDIO_CHECK(adapter.fill(tensors));
    STUDIO_TRY(auto on_device, GpuAdapter::make(std::move(adapter), state_->geometry.shape, state_->stream));
    state_->setAdapter(std::move(on_device));
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("the adapter"));
}

void GpuPhi::dropAdapter() noexcept {
    k::use(state_->card);
    state_->setAdapter(nullptr);
}

bool GpuPhi::hasAdapter() const noexcept {
    return state_->adapter != nullptr;
}

AdapterParameters& GpuPhi::adapter() noexcept {
    return state_->adapter->host();
}

const AdapterParameters& GpuPhi::adapter() const noexcept {
    return state_->adapter->host();
}

DeviceParameters* GpuPhi::device() noexcept {
    return state_->adapter.get();
}

Result<void> GpuPhi::reserve(const Limits& limits) {
    k::use(state_->card);
    return state_->reserve(limits);
}

std::uint64_t GpuPhi::reservedBytes(const Limits& limits) const {
    WorkspaceShape shape = state_->workspaceShape();
    shape.mode = limits.memory == MemoryMode::Auto ? MemoryMode::KeepAll : limits.memory;
    if (shape.mode == MemoryMode::Selective) shape.recomputed = (shape.layers - shape.lowest) / 10;
    return neededBytes(shape, limits);
}

Result<void> GpuPhi::forward(const dataset::Batch& batch, const ForwardOptions& options,
                             std::span<float> target_nll) try {
    State& s = *state_;
    k::use(s.card);
    s.pending = false;
    s.kept_logits.clear();
    STUDIO_CHECK(checkOptions(options, hasAdapter()));
    if (target_nll.size() != batch.targets.size())
        return fail(ErrorCode::Internal, "The losses asked for are not as many as the batch has targets.");
    STUDIO_TRY(s.plan, RowPlan::make(batch, s.info.vocab, s.info.context));
    if (s.plan.rows() == 0) return {};
    Limits wanted = Limits::of(batch, options.training);
    wanted.memory = options.memory;
    wanted.dropout = options.training && (options.lora_dropout > 0 || options.resid_dropout > 0);
    STUDIO_CHECK(s.reserve(wanted));
    STUDIO_TRY(s.batch, s.upload.upload(s.plan, s.stream));

    s.pass = Pass{};
    s.pass.stream = s.stream;
    s.pass.gemm = s.gemm.get();
    s.pass.strength = static_cast<float>(options.adapter_strength);
    s.pass.deterministic = options.deterministic;
    if (options.training) {
        s.pass.lora_dropout = options.lora_dropout;
        s.pass.resid_dropout = options.resid_dropout;
        s.pass.key = {options.seed, options.step, static_cast<std::uint32_t>(options.micro_batch), 0, 0};
    }
    k::setDeterministic(options.deterministic);
    s.stop = options.stop;
    const int rows = s.plan.rows(), lowest = s.adapter ? s.adapter->lowest() : 0;
    const Workspace& ws = s.workspace;
    s.attention.clear();
    s.attention.resize(static_cast<std::size_t>(s.info.layers));
    if (ws.residuals_leave) STUDIO_CHECK(s.residuals.beforeWriting(0, s.stream));
    k::gatherRows(s.stream, ws.embedding, s.batch.tokens, ws.input(0).top(rows));
    for (int layer = 0; layer < s.info.layers; ++layer) {
        if (s.stop.stop_requested()) return cancelled();
        if (ws.residuals_leave && layer >= lowest) {
            STUDIO_CHECK(s.residuals.beforeWriting(layer - lowest + 1, s.stream));
            if (layer + 1 < s.info.layers)  // backward finds the last one where it is
                STUDIO_CHECK(s.residuals.save(layer - lowest, ws.input(layer).top(rows), s.stream));
        }
        const bool keep = options.training && layer >= lowest && ws.modeOf(layer) != MemoryMode::Recompute;
        STUDIO_CHECK(s.block(layer).forward(s.batch, ws.input(layer).top(rows), ws.of(layer).top(rows),
                                            ws.output(layer).top(rows),
                                            keep ? &s.attention[static_cast<std::size_t>(layer)] : nullptr));
    }
    if (s.stop.stop_requested()) return cancelled();
    STUDIO_CHECK(s.head().loss(ws.output(s.info.layers - 1).top(rows), s.plan, s.batch, ws, options.training,
                               target_nll, options.keep_logits ? &s.kept_logits : nullptr, s.host, s.stop));
    s.pending = options.training;
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("this batch"));
}

Result<void> GpuPhi::backward(float scale) try {
    State& s = *state_;
    k::use(s.card);
    if (!s.pending) return fail(ErrorCode::Internal, "There is no forward pass in training mode to go back from.");
    s.pending = false;
    STUDIO_CHECK(s.adapter->needGradients());
    k::setDeterministic(s.pass.deterministic);
    const int rows = s.plan.rows();
    const Workspace& ws = s.workspace;
    const Matrix g = ws.g.top(rows), gradient = g.columns(ws.du_width, s.geometry.shape.hidden);
    k::clearRows(s.stream, gradient);
    k::scatterRows(s.stream, ws.normed.top(s.plan.targetRows()), s.batch.target_row, scale, gradient);
    const int lowest = s.adapter->lowest();
    for (int layer = s.info.layers - 1; layer >= lowest; --layer) {
        if (s.stop.stop_requested()) return cancelled();
        auto& state = s.attention[static_cast<std::size_t>(layer)];
        const Matrix x = ws.input(layer).top(rows);
        const Activations act = ws.of(layer).top(rows);
        const Block block = s.block(layer);
        if (ws.residuals_leave) {
            // Of the layer in front of this one, while this one is computed.
            if (layer > lowest)
                STUDIO_CHECK(s.residuals.fetch(layer - 1 - lowest, ws.input(layer - 1).top(rows), s.stream));
            STUDIO_CHECK(s.residuals.beforeReading(layer - lowest, s.stream));
        }
        STUDIO_CHECK(block.recompute(s.batch, x, act, ws.modeOf(layer), &state));
        STUDIO_CHECK(block.backward(s.batch, x, act, g, layer > lowest, state));
    }
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("this batch"));
}

std::span<const float> GpuPhi::keptLogits() const noexcept {
    return state_->kept_logits;
}

}  // namespace studio::engine::gpu
