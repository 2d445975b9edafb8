#include "engine/model/workspace.h"

#include <algorithm>

namespace studio::engine {
namespace {

BlockActivations oneBlock(kernels::Arena& arena, const WorkspaceShape& shape, std::int64_t rows) {
    BlockActivations act;
    act.h = arena.matrix(rows, shape.block.hidden);
    act.y = arena.matrix(rows, shape.block.inputOut());
    act.z = arena.matrix(rows, shape.block.outputIn());
    act.lse = arena.matrix(rows, shape.heads);
    act.u_input = arena.matrix(rows, shape.input_rank);
    act.u_dense = arena.matrix(rows, shape.dense_rank);
    act.u_fc2 = arena.matrix(rows, shape.fc2_rank);
    act.mean = arena.floats(static_cast<std::size_t>(rows));
    act.rstd = arena.floats(static_cast<std::size_t>(rows));
    return act;
}

}  // namespace

Workspace Workspace::layOut(kernels::Arena& arena, const WorkspaceShape& shape, const Limits& limits) {
    const BlockShape& block = shape.block;
    const std::int64_t rows = limits.rows, keys = limits.key_rows, targets = std::min(limits.targets, limits.rows);
    Workspace ws;
    ws.training = limits.training;
    ws.lowest = shape.lowest;
    ws.recompute = shape.recompute;
    const int kept = limits.training ? shape.layers - shape.lowest : 0;
    for (int i = 0; i <= kept; ++i) ws.x.push_back(arena.matrix(rows, block.hidden));
    const int sets = shape.recompute ? 1 : std::max(kept, 1);
    for (int i = 0; i < sets; ++i) ws.activations.push_back(oneBlock(arena, shape, rows));

    ws.scratch.weights = shape.weight_floats > 0 ? arena.floats(shape.weight_floats) : nullptr;
    ws.scratch.keys = arena.matrix(keys, block.kv);
    ws.scratch.values = arena.matrix(keys, block.kv);
    if (limits.training) {
        ws.scratch.wide = arena.matrix(rows, std::max({block.hidden, block.q, block.intermediate}));
        ws.scratch.residual = arena.matrix(rows, block.hidden);
        ws.scratch.dkeys = arena.matrix(keys, block.kv);
        ws.scratch.dvalues = arena.matrix(keys, block.kv);
        ws.scratch.dz = arena.matrix(rows, block.outputIn());
        ws.scratch.dh = arena.matrix(rows, block.hidden);
        ws.scratch.du = arena.matrix(rows, std::max({shape.input_rank, shape.dense_rank, shape.fc2_rank}));
        ws.g = arena.matrix(rows, block.hidden);
    }
    ws.head.hidden = arena.matrix(targets, block.hidden);
    ws.head.normed = arena.matrix(targets, block.hidden);
    if (limits.training) ws.head.dhidden = arena.matrix(targets, block.hidden);
    ws.head.logits = arena.matrix(std::min(Head::chunkRows(shape.vocab), targets), shape.vocab);
    ws.head.mean = arena.floats(static_cast<std::size_t>(targets));
    ws.head.rstd = arena.floats(static_cast<std::size_t>(targets));
    ws.head.nll = arena.floats(static_cast<std::size_t>(limits.targets));
    return ws;
}

}  // namespace studio::engine
