// What the GPU's memory is used for: choosing a memory mode, laying buffers out, telling what is held.
#include <fmt/format.h>

#include <algorithm>

#include "engine/gpu/gpu_state.h"
#include "engine/gpu/plan.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

void GpuPhi::State::setAdapter(std::unique_ptr<GpuAdapter> next) {
    (void)k::finish(stream);
    adapter = std::move(next);
    attention.clear();
    ++adapter_number;
    pending = decode.laid_out = decode.token_laid_out = false;
    layouts.forget();
    mode.reset();
    expanded = {};  // their LoRA columns are as wide as the adapter's
}

WorkspaceShape GpuPhi::State::workspaceShape() const {
    WorkspaceShape shape;
    shape.block = geometry.shape;
    shape.layers = info.layers;
    shape.heads = info.heads;
    shape.head_dim = info.head_dim;
    shape.vocab = info.vocab;
    if (adapter) {
        shape.input_width = adapter->inputWidth();
        shape.dense_width = adapter->denseWidth();
        shape.fc2_width = adapter->fc2Width();
        shape.lowest = adapter->lowest();
    }
    return shape;
}

Error GpuPhi::State::tooLarge(std::uint64_t available) const {
    const Limits& limits = layouts.limits();
    WorkspaceShape smallest = layouts.shape();
    smallest.mode = MemoryMode::Recompute;
    const std::uint64_t needed = neededBytes(smallest, limits);
    int fits = limits.rows;
    Limits less = limits;
    while (fits > 1 && neededBytes(smallest, less) > available) {
        fits /= 2;
        less.rows = fits;
        less.targets = std::min(less.targets, fits);
        less.key_rows = std::min(less.key_rows, 2 * fits);
    }
    return {
        ErrorCode::OutOfMemory,
        fmt::format("A micro-batch of {} tokens needs {} MB of the GPU's memory even when every layer is computed "
                    "again, but {} MB can be had.",
                    limits.rows, needed >> 20, available >> 20),
        fmt::format("About {} tokens would fit: lower per_device_train_batch_size or max_seq_length, or close other "
                    "programs that use the GPU.",
                    fits)};
}

void GpuPhi::State::divideExpanded() {
    workspace.embedding = weights.embedding;
    if (expanded.bytes() == 0) {
        workspace.input_weights.clear();
        workspace.output_weights.clear();
        return;
    }
    workspace.embedding.data = expanded.data() + layOutExpanded(workspace, expanded.data(), layouts.shape());
}

Result<void> GpuPhi::State::expandLinears(std::uint64_t available) {
    const std::size_t embedding = weights.embedding_memory.bytes();
    const std::uint64_t bytes = expandedBytes(layouts.shape(), layouts.limits(), embedding, available);
    if (bytes > 0) {
        STUDIO_TRY(expanded, Memory::allocate(bytes, stream));
    }
    divideExpanded();
    if (bytes == 0) return {};
    STUDIO_CHECK(k::copyToDevice(stream, workspace.embedding.data, weights.embedding.data, embedding));
    const BlockShape& b = geometry.shape;
    for (std::size_t layer = 0; layer < weights.blocks.size(); ++layer) {
        const BlockWeights& block = weights.blocks[layer];
        block.input.expand(stream,
                           workspace.input_weights[layer].top(b.inputOut()).columns(workspace.u_width, b.hidden));
        block.output.expand(
            stream, workspace.output_weights[layer].rowRange(workspace.du_width, b.hidden).columns(0, b.outputIn()));
    }
    return k::launched("expanding the weights");
}

Result<void> GpuPhi::State::reserve(const Limits& wanted) {
    const Layouts::Change change = layouts.change(wanted, workspaceShape(), memory.bytes());
    if (change == Layouts::Change::None) return {};
    pending = false;
    attention.clear();
    STUDIO_CHECK(k::finish(stream));
    STUDIO_CHECK(residuals.finish());
    if (change == Layouts::Change::Divide) {
        Workspace::layOut(workspace, memory.data(), layouts.shape(), layouts.limits());
        divideExpanded();
    } else if (auto allocated = allocate(); !allocated) {
        layouts.forget();
        expanded = {};  // it may be half filled
        return allocated;
    }
    layouts.done();
    return {};
}

// Where the computer's own memory is short, the residual stream stays on the card.
Result<void> GpuPhi::State::reserveResiduals(std::uint64_t available) {
    const Limits& limits = layouts.limits();
    if (!limits.training) return {};
    const std::size_t bytes = residualBytes(layouts.shape(), limits);
    if (bytes == 0) residuals.release();
    const auto reserved = residuals.reserve(card, bytes);
    if (reserved || reserved.error().code != ErrorCode::OutOfMemory) return reserved;
    layouts.keepResiduals();
    if (neededBytes(layouts.shape(), limits) > available) {
        Error error = tooLarge(available);
        error.message += " " + reserved.error().message;
        return fail(std::move(error));
    }
    if (log != nullptr) log->warning("The residual stream stays on the GPU: " + reserved.error().message);
    return {};
}

Result<void> GpuPhi::State::allocate() {
    const Limits& limits = layouts.limits();
    // What training holds besides must be there before the choice, or the choice is made from too much.
    if (limits.training && adapter) STUDIO_CHECK(adapter->needGradients());
    memory = {};
    expanded = {};
    const std::uint64_t free = k::memoryState(card).free, available = free > kMargin ? free - kMargin : 0;
    layouts.choose(available);
    const WorkspaceShape& shape = layouts.shape();
    if (neededBytes(shape, limits) > available) return fail(tooLarge(available));
    STUDIO_CHECK(reserveResiduals(available));
    Workspace measure;
    STUDIO_TRY(memory, Memory::allocate(Workspace::layOut(measure, nullptr, shape, limits), stream));
    Workspace::layOut(workspace, memory.data(), shape, limits);
    STUDIO_CHECK(expandLinears(available));
    if (!limits.training) return {};
    if (shape.mode != mode && log != nullptr)
        log->info(
            fmt::format("Memory mode {}: {} MB for {} rows.", nameOf(shape.mode), memory.bytes() >> 20, limits.rows));
    mode = shape.mode;
    return {};
}

void GpuPhi::freeMemory() noexcept {
    State& s = *state_;
    k::use(s.card);
    (void)k::finish(s.stream);
    s.pending = false;
    s.attention.clear();
    s.residuals.release();
    s.memory = {};
    s.expanded = {};
    s.kept_logits = {};
    s.layouts.forget();
    // Of decoding too; answers that grow go on with new ones.
    DecodeBuffers& decode = s.decode;
    decode.memory = {};
    decode.device = {};
    decode.token_memory = {};
    decode.laid_out = decode.token_laid_out = false;
    ++s.adapter_number;
    k::emptyCache();
}

void GpuPhi::resetPeak() noexcept {
    k::resetPeak(state_->card);
}

api::MemoryUse GpuPhi::memory() const noexcept {
    api::MemoryUse use;
    try {
        const State& s = *state_;
        const auto state = k::memoryState(s.card);
        use.bytes = state.allocated;
        use.peak_bytes = state.peak;
        use.free_bytes = state.free;
        use.pinned_bytes = s.weights.embedding_memory.bytes() + s.residuals.bytes();
        if (s.mode) use.mode = nameOf(*s.mode);
        use.parts.push_back({"weights", s.weights.deviceBytes()});
        if (s.adapter) {
            use.parts.push_back({"adapter", s.adapter->valueBytes()});
            use.parts.push_back({"gradients and optimizer", s.adapter->trainingBytes()});
        }
        const Workspace::Bytes& bytes = s.workspace.bytes;
        const std::uint64_t held = s.memory.bytes(), laid_out = bytes.activations + bytes.logits;
        use.parts.push_back({"activations", held > 0 ? bytes.activations : 0});
        use.parts.push_back({"workspace", held > laid_out ? held - laid_out : 0});
        use.parts.push_back({"logits", held > 0 ? bytes.logits : 0});
        use.parts.push_back({"expanded weights", s.expanded.bytes()});
        use.parts.push_back({"matrix library", s.gemm_workspace.bytes()});
        use.parts.push_back({"chat", s.decode.memory.bytes() + s.decode.token_memory.bytes()});
    } catch (const std::exception&) {
    }
    return use;
}

}  // namespace studio::engine::gpu
