#include "engine/model/model_state.h"

#include <algorithm>

namespace studio::engine {

Limits Limits::of(const dataset::Batch& batch, bool training) {
    Limits limits;
    limits.rows = batch.rows();
    limits.targets = static_cast<int>(batch.targets.size());
    limits.training = training;
    bool context = false;
    for (const auto& segment : batch.segments) {
        limits.key_rows += segment.end - segment.begin;
        for (const auto& range : segment.context) limits.key_rows += range.size();
        context = context || !segment.context.empty();
    }
    if (!context) limits.key_rows = 0;
    return limits;
}

void Limits::cover(const Limits& other) {
    rows = std::max(rows, other.rows);
    targets = std::max(targets, other.targets);
    key_rows = std::max(key_rows, other.key_rows);
    training = training || other.training;
    recompute = recompute || other.recompute;
    dropout = dropout || other.dropout;
    if (other.memory != MemoryMode::Auto) memory = other.memory;
}

bool Limits::covers(const Limits& other) const {
    return rows >= other.rows && targets >= other.targets && key_rows >= other.key_rows &&
           (training || !other.training) && (recompute || !other.recompute) && (dropout || !other.dropout) &&
           (other.memory == MemoryMode::Auto || memory == other.memory);
}

void CpuPhi::State::setAdapter(std::optional<Adapter> next) {
    adapter = std::move(next);
    pending = laid_out = decode_laid_out = false;
}

WorkspaceShape CpuPhi::State::workspaceShape(const Limits& wanted) const {
    WorkspaceShape shape;
    shape.block = geometry.shape;
    shape.layers = info.layers;
    shape.heads = info.heads;
    shape.vocab = info.vocab;
    shape.weight_floats = weights.workspaceFloats();
    if (adapter) {
        shape.input_rank = adapter->input_rank;
        shape.dense_rank = adapter->dense_rank;
        shape.fc2_rank = adapter->fc2_rank;
        shape.lowest = adapter->lowest;
    }
    shape.recompute = wanted.training && wanted.recompute;
    if (!wanted.training || wanted.recompute) return shape;
    // Where all activations would take more than half of the free memory, they are computed again in backward; the
    // numbers are the same.
    kernels::Arena measure;
    Workspace::layOut(measure, shape, wanted);
    const std::size_t available = kernels::availableMemory();
    shape.recompute = available > 0 && measure.used() > memory.bytes() + available / 2;
    return shape;
}

Result<void> CpuPhi::State::reserve(const Limits& wanted) {
    if (laid_out && limits.covers(wanted)) return {};
    pending = laid_out = false;
    // What a large evaluation needs must not stay with training; its memory does.
    if (limits.training != wanted.training) limits = {};
    limits.cover(wanted);
    const WorkspaceShape shape = workspaceShape(limits);
    kernels::Arena measure;
    Workspace::layOut(measure, shape, limits);
    if (measure.used() > memory.bytes()) {
        memory = {};
        STUDIO_TRY(memory, kernels::Buffer::allocate(measure.used()));
    }
    kernels::Arena arena(memory.data());
    workspace = Workspace::layOut(arena, shape, limits);
    laid_out = true;
    return {};
}

}  // namespace studio::engine
