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
    pending = laid_out = decode.laid_out = decode.token_laid_out = false;
}

WorkspaceShape GpuPhi::State::workspaceShape() const {
    WorkspaceShape shape;
    shape.block = geometry.shape;
    shape.layers = info.layers;
    shape.vocab = info.vocab;
    shape.dropout = dropout;
    if (adapter) {
        shape.input_width = adapter->inputWidth();
        shape.dense_width = adapter->denseWidth();
        shape.fc2_width = adapter->fc2Width();
        shape.lowest = adapter->lowest();
    }
    return shape;
}

std::size_t GpuPhi::State::bytesFor(const WorkspaceShape& shape, const Limits& wanted) const {
    Workspace measure;
    return Workspace::layOut(measure, nullptr, shape, wanted) +
           attentionBytes(shape, wanted, info.heads, info.head_dim, false);
}

Error GpuPhi::State::tooLarge(const WorkspaceShape& shape, std::uint64_t available) const {
    WorkspaceShape smallest = shape;
    smallest.mode = MemoryMode::Recompute;
    const std::uint64_t needed = bytesFor(smallest, limits);
    int fits = limits.rows;
    Limits less = limits;
    while (fits > 1 && bytesFor(smallest, less) > available) {
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

// Saves expanding each linear twice a step, for 2 bytes a weight.
Result<void> GpuPhi::State::expandLinears(const WorkspaceShape& shape, std::uint64_t available) {
    const std::size_t linears = layOutExpanded(workspace, nullptr, shape);
    const std::size_t bytes = linears + weights.embedding_memory.bytes();
    if (shape.mode != MemoryMode::KeepAll || !limits.training || bytes + bytesFor(shape, limits) + kSpare > available) {
        workspace.input_weights.clear();
        workspace.output_weights.clear();
        workspace.embedding = weights.embedding;
        return {};
    }
    STUDIO_TRY(expanded, Memory::allocate(bytes, stream));
    layOutExpanded(workspace, expanded.data(), shape);
    workspace.embedding = weights.embedding;
    workspace.embedding.data = expanded.data() + linears;
    STUDIO_CHECK(
        k::copyToDevice(stream, workspace.embedding.data, weights.embedding.data, weights.embedding_memory.bytes()));
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

Result<void> GpuPhi::State::reserve(const Limits& wanted, bool wants_dropout) {
    if (laid_out && limits.covers(wanted) && (dropout || !wants_dropout)) return {};
    pending = laid_out = false;
    attention.clear();
    limits.cover(wanted);
    dropout = dropout || wants_dropout;
    // What training holds besides must be there before the choice, or the choice is made from too much.
    if (limits.training && adapter) STUDIO_CHECK(adapter->needGradients());
    STUDIO_CHECK(k::finish(stream));
    memory = {};
    expanded = {};
    WorkspaceShape shape = workspaceShape();
    const std::uint64_t free = k::memoryState(card).free, available = free > kMargin ? free - kMargin : 0;
    chooseMode(shape, limits, info.heads, info.head_dim, available);
    if (bytesFor(shape, limits) > available) {
        const Error error = tooLarge(shape, available);
        limits = {};
        return fail(error);
    }
    Workspace measure;
    STUDIO_TRY(memory, Memory::allocate(Workspace::layOut(measure, nullptr, shape, limits), stream));
    Workspace::layOut(workspace, memory.data(), shape, limits);
    STUDIO_CHECK(expandLinears(shape, available));
    if (limits.training && shape.mode != mode && log != nullptr)
        log->info(
            fmt::format("Memory mode {}: {} MB for {} rows.", nameOf(shape.mode), memory.bytes() >> 20, limits.rows));
    mode = shape.mode;
    laid_out = true;
    return {};
}

void GpuPhi::freeMemory() noexcept {
    State& s = *state_;
    k::use(s.card);
    (void)k::finish(s.stream);
    s.pending = s.laid_out = false;
    s.attention.clear();
    s.memory = {};
    s.expanded = {};
    s.limits = {};
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
        if (s.laid_out && s.limits.training) use.mode = nameOf(s.mode);
        use.parts.push_back({"weights", s.weights.deviceBytes()});
        if (s.adapter) {
            use.parts.push_back({"adapter", s.adapter->valueBytes()});
            use.parts.push_back({"gradients and optimizer", s.adapter->trainingBytes()});
        }
        use.parts.push_back({"activations and workspace", s.memory.bytes()});
        use.parts.push_back({"expanded weights", s.expanded.bytes()});
        use.parts.push_back({"matrix library", s.gemm_workspace.bytes()});
        use.parts.push_back({"chat", s.decode.memory.bytes() + s.decode.token_memory.bytes()});
    } catch (const std::exception&) {
    }
    return use;
}

}  // namespace studio::engine::gpu
