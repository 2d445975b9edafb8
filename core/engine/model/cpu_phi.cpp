#include "engine/model/cpu_phi.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/kernels/parallel.h"
#include "engine/kernels/rows.h"
#include "engine/model/model_state.h"
#include "engine/model/phi_checks.h"

namespace studio::engine {

using kernels::Matrix;

namespace {

// The batch's own rows, or the rows gathered for each segment.
class BatchKeys final : public KeySource {
  public:
    BatchKeys(const RowPlan& plan, const Scratch& scratch) : plan_(plan), scratch_(scratch) {}
    std::span<const int> positions() const override { return plan_.positions; }
    Result<void> attend(kernels::Stream stream, const kernels::AttentionShape& shape, int,
                        const AttentionRows& rows) override {
        if (!plan_.hasContext())
            return kernels::attention(stream, shape, plan_.sequences(), rows.q, rows.k, rows.v, rows.out, rows.lse);
        kernels::gatherRows(stream, rows.k, plan_.key_row.data(), scratch_.keys);
        kernels::gatherRows(stream, rows.v, plan_.key_row.data(), scratch_.values);
        return kernels::attention(stream, shape, plan_.sequences(), rows.q, scratch_.keys, scratch_.values, rows.out,
                                  rows.lse);
    }

  private:
    const RowPlan& plan_;
    const Scratch& scratch_;
};

}  // namespace

CpuPhi::CpuPhi(std::unique_ptr<State> state) : state_(std::move(state)) {}
CpuPhi::~CpuPhi() = default;

const api::ModelInfo& CpuPhi::info() const noexcept {
    return state_->info;
}

std::vector<std::string> CpuPhi::linearNames() const {
    return config::linearNames(state_->config);
}

Result<void> CpuPhi::createAdapter(const api::LoraSpec& spec) try {
    STUDIO_TRY(Adapter adapter, Adapter::layOut(state_->geometry.shape, state_->info.layers, spec));
    adapter.initialise(spec.seed);
    state_->setAdapter(std::move(adapter));
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("the adapter"));
}

Result<void> CpuPhi::loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) try {
    STUDIO_TRY(Adapter adapter, Adapter::layOut(state_->geometry.shape, state_->info.layers, spec));
    STUDIO_CHECK(adapter.fill(tensors));
    state_->setAdapter(std::move(adapter));
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("the adapter"));
}

void CpuPhi::dropAdapter() noexcept {
    state_->setAdapter(std::nullopt);
}
bool CpuPhi::hasAdapter() const noexcept {
    return state_->adapter.has_value();
}
AdapterParameters& CpuPhi::adapter() noexcept {
    return state_->adapter->parameters;
}
const AdapterParameters& CpuPhi::adapter() const noexcept {
    return state_->adapter->parameters;
}

Result<void> CpuPhi::reserve(const Limits& limits) {
    return state_->reserve(limits);
}

std::uint64_t CpuPhi::reservedBytes(const Limits& limits) const {
    kernels::Arena measure;
    Workspace::layOut(measure, state_->workspaceShape(limits), limits);
    return measure.used();
}

void CpuPhi::freeMemory() noexcept {
    state_->pending = state_->laid_out = false;
    state_->memory = {};
    state_->limits = {};
    state_->kept_logits = {};
}

Result<void> CpuPhi::forward(const dataset::Batch& batch, const ForwardOptions& options,
                             std::span<float> target_nll) try {
    State& s = *state_;
    s.pending = false;
    s.kept_logits.clear();
    STUDIO_CHECK(checkOptions(options, hasAdapter()));
    if (target_nll.size() != batch.targets.size())
        return fail(ErrorCode::Internal, "The losses asked for are not as many as the batch has targets.");
    STUDIO_TRY(s.plan, RowPlan::make(batch, s.info.vocab, s.info.context));
    if (s.plan.rows() == 0) return {};
    Limits wanted = Limits::of(batch, options.training);
    wanted.recompute = options.training && options.memory == MemoryMode::Recompute;
    STUDIO_CHECK(s.reserve(wanted));

    s.pass = PassOptions{};
    s.pass.strength = static_cast<float>(options.adapter_strength);
    if (options.training) {
        s.pass.lora_dropout = options.lora_dropout;
        s.pass.resid_dropout = options.resid_dropout;
        s.pass.key = {options.seed, options.step, static_cast<std::uint32_t>(options.micro_batch), 0, 0};
    }
    s.stop = options.stop;
    const int rows = s.plan.rows();
    const Workspace& ws = s.workspace;
    const Scratch scratch = ws.scratch.top(rows, s.plan.keyRows());
    BatchKeys keys(s.plan, scratch);
    kernels::gatherRows(s.pass.stream, s.weights.embedding.matrix, s.plan.tokens.data(), ws.input(0).top(rows));
    for (int layer = 0; layer < s.info.layers; ++layer) {
        if (s.stop.stop_requested()) return cancelled();
        const Matrix x = ws.input(layer).top(rows), out = ws.output(layer).top(rows);
        STUDIO_CHECK(s.block(layer, s.pass.strength).forward(s.pass, x, keys, scratch, ws.of(layer).top(rows), &out));
    }
    if (s.stop.stop_requested()) return cancelled();
    STUDIO_CHECK(s.head().loss(s.pass.stream, ws.output(s.info.layers - 1).top(rows), s.plan,
                               ws.head.top(s.plan.targetRows()), options.training, target_nll.data(),
                               options.keep_logits ? &s.kept_logits : nullptr, s.stop));
    s.pending = options.training;
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("this batch"));
}

Result<void> CpuPhi::backward(float scale) try {
    State& s = *state_;
    if (!s.pending) return fail(ErrorCode::Internal, "There is no forward pass in training mode to go back from.");
    s.pending = false;
    const int rows = s.plan.rows();
    const Workspace& ws = s.workspace;
    const Scratch scratch = ws.scratch.top(rows, s.plan.keyRows());
    const Matrix g = ws.g.top(rows);
    kernels::scatterRows(s.pass.stream, ws.head.dhidden.top(s.plan.targetRows()), s.plan.target_row.data(), scale, g);
    const int lowest = s.adapter->lowest;
    for (int layer = s.info.layers - 1; layer >= lowest; --layer) {
        if (s.stop.stop_requested()) return cancelled();
        const Matrix x = ws.input(layer).top(rows);
        const BlockActivations activations = ws.of(layer).top(rows);
        const Block block = s.block(layer, s.pass.strength);
        if (ws.recompute) {
            BatchKeys keys(s.plan, scratch);
            STUDIO_CHECK(block.forward(s.pass, x, keys, scratch, activations, nullptr));
        }
        STUDIO_CHECK(block.backward(s.pass, x, s.plan, scratch, activations, g, layer > lowest));
    }
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("this batch"));
}

std::span<const float> CpuPhi::keptLogits() const noexcept {
    return state_->kept_logits;
}

}  // namespace studio::engine
