#include "engine/gpu/workspace.h"

#include <algorithm>

namespace studio::engine::gpu {
namespace {

constexpr std::size_t kAlign = 256;
constexpr std::int64_t kLogitsRows = 4096;  // of a chunk at most
constexpr std::int64_t kFewLogits = 128;    // fewer only where there are fewer targets
// Of expanded weights at a time where memory is what counts: phi-2's largest group in three. With a batch beside which
// that saves little, more: few large products are faster than many small ones.
constexpr std::size_t kPieceBytes = std::size_t{32} << 20;

class Arena {
  public:
    explicit Arena(std::byte* base) : base_(base) {}
    void* take(std::size_t bytes) {
        std::byte* piece = base_ == nullptr ? nullptr : base_ + used_;
        used_ += (bytes + kAlign - 1) / kAlign * kAlign;
        return piece;
    }
    Matrix matrix(std::int64_t rows, std::int64_t cols) {
        return bf16Matrix(take(static_cast<std::size_t>(rows * cols) * 2), rows, cols, cols);
    }
    float* floats(std::int64_t count) { return static_cast<float*>(take(static_cast<std::size_t>(count) * 4)); }
    std::size_t used() const { return used_; }

  private:
    std::byte* base_;
    std::size_t used_ = 0;
};

// The largest of the ways a product's weights lie in the workspace: LoRA's B as columns, its A as rows.
std::int64_t largestGroup(const WorkspaceShape& s) {
    const BlockShape& b = s.block;
    return std::max({(b.q + 2 * b.kv) * (b.hidden + s.input_width), b.intermediate * (b.hidden + s.input_width),
                     (b.inputOut() + s.input_width) * b.hidden, b.hidden * (b.outputIn() + s.outputTail()),
                     (b.hidden + s.outputTail()) * b.outputIn()});
}

// Block::inPieces goes on in steps of 64 rows or columns.
std::size_t smallestPiece(const WorkspaceShape& s) {
    const BlockShape& b = s.block;
    return static_cast<std::size_t>(64 * std::max(b.inputOut() + s.input_width, b.outputIn() + s.outputTail())) * 2;
}

std::int64_t largestLora(const WorkspaceShape& s) {
    const BlockShape& b = s.block;
    return std::max({s.input_width * b.hidden, b.inputOut() * s.input_width, b.hidden * s.outputTail(),
                     s.dense_width * b.q, s.fc2_width * b.intermediate});
}

struct Parts {
    bool hu, y, z, o;
};

void takeActivations(Arena& arena, const WorkspaceShape& s, std::int64_t rows, const Parts& parts, Activations& act) {
    const BlockShape& b = s.block;
    if (parts.hu) act.hu = arena.matrix(rows, b.hidden + s.input_width);
    if (parts.y) act.y = arena.matrix(rows, b.inputOut() + s.input_width);
    if (parts.z) act.z = arena.matrix(rows, b.outputIn() + s.outputTail());
    if (parts.o) act.o = arena.matrix(rows, b.q);
    if (parts.hu) {
        act.mean = arena.floats(rows);
        act.rstd = arena.floats(rows);
    }
}

}  // namespace

Activations Activations::top(std::int64_t rows) const {
    return {hu.top(rows), y.top(rows), z.top(rows), o.top(rows), mean, rstd};
}

std::size_t Workspace::layOut(Workspace& ws, std::byte* base, const WorkspaceShape& s, const Limits& limits) {
    Arena arena(base);
    const BlockShape& b = s.block;
    const std::int64_t rows = limits.rows, targets = std::min(limits.targets, limits.rows);
    ws = {};
    ws.training = limits.training;
    ws.lowest = s.lowest;
    ws.mode = limits.training ? s.mode : MemoryMode::Recompute;
    ws.recomputed = s.recomputed;
    ws.u_width = s.input_width;
    ws.du_width = s.outputTail();
    const int layers = limits.training ? s.layers - s.lowest : 0;
    ws.residuals_leave = s.residualsLeave(limits);
    for (int i = 0; i <= layers; ++i)
        ws.x.push_back(ws.residuals_leave && i >= 2 ? ws.x[static_cast<std::size_t>(i - 2)]
                                                    : arena.matrix(rows, b.hidden));

    Activations shared;
    if (ws.mode == MemoryMode::KeepAll) {
        ws.kept.resize(static_cast<std::size_t>(layers));
        for (Activations& act : ws.kept) {
            takeActivations(arena, s, rows, {true, true, true, false}, act);
            act.o = act.z.columns(0, b.q);
        }
    } else if (ws.mode == MemoryMode::Selective) {
        const bool some = s.recomputed > 0;
        takeActivations(arena, s, rows, {true, some, true, some}, shared);
        ws.kept.assign(static_cast<std::size_t>(layers), shared);
        for (std::size_t i = static_cast<std::size_t>(s.recomputed); i < ws.kept.size(); ++i)
            takeActivations(arena, s, rows, {false, true, false, true}, ws.kept[i]);
    } else {
        takeActivations(arena, s, rows, {true, true, true, true}, shared);
        ws.kept.push_back(shared);
    }

    ws.bytes.activations = arena.used();

    ws.weights_bytes = static_cast<std::size_t>(largestGroup(s)) * 2;
    if (s.mode == MemoryMode::Recompute)
        ws.weights_bytes = std::min(
            ws.weights_bytes, std::max({kPieceBytes, smallestPiece(s), static_cast<std::size_t>(rows * b.hidden) * 4}));
    ws.weights = arena.take(ws.weights_bytes);
    ws.lora = arena.take(static_cast<std::size_t>(largestLora(s)) * 2);
    if (limits.key_rows > 0) {
        ws.keys = arena.matrix(limits.key_rows, b.kv);
        ws.values = arena.matrix(limits.key_rows, b.kv);
    }
    // One after the other in the same place: logits in the head, then dz, then dh. In the head's time z, y and hu are
    // idle too, unless they are kept, and so is g.
    Activations& idle = ws.kept[0];
    if (limits.training) {
        ws.g = arena.matrix(rows, ws.du_width + b.hidden);
        ws.dz = ws.mode == MemoryMode::KeepAll ? arena.matrix(rows, b.outputIn() + s.outputTail()) : idle.z;
        ws.dh = bf16Matrix(ws.dz.data, rows, b.hidden, b.hidden);
        if (limits.dropout) {
            ws.wide = arena.matrix(rows, std::max({b.hidden, b.q, b.intermediate}));
            ws.residual = arena.matrix(rows, b.hidden);
        }
    }
    ws.bytes.workspace = arena.used() - ws.bytes.activations;

    ws.hidden = limits.training ? ws.g.columns(ws.du_width, b.hidden) : idle.y.columns(0, b.hidden);
    ws.normed =
        ws.mode == MemoryMode::KeepAll ? arena.matrix(targets, b.hidden) : idle.hu.columns(ws.u_width, b.hidden);
    const Matrix& space = limits.training ? ws.dz : idle.z;
    const std::int64_t fit = std::min(space.rows * space.ld / s.vocab, kLogitsRows);
    if (fit >= std::min(targets, kFewLogits))
        ws.logits = bf16Matrix(space.data, std::min(fit, std::max<std::int64_t>(targets, 1)), s.vocab, s.vocab);
    else
        ws.logits = arena.matrix(std::min(targets, kFewLogits), s.vocab);
    ws.head_mean = arena.floats(targets);
    ws.head_rstd = arena.floats(targets);
    ws.nll = arena.floats(limits.targets);
    ws.bytes.logits = arena.used() - ws.bytes.activations - ws.bytes.workspace;
    return arena.used();
}

std::size_t layOutExpanded(Workspace& ws, std::byte* base, const WorkspaceShape& s) {
    Arena arena(base);
    const BlockShape& b = s.block;
    ws.input_weights.clear();
    ws.output_weights.clear();
    for (int layer = 0; layer < s.layers; ++layer) {
        ws.input_weights.push_back(arena.matrix(b.inputOut() + s.input_width, s.input_width + b.hidden));
        ws.output_weights.push_back(arena.matrix(s.outputTail() + b.hidden, b.outputIn() + s.outputTail()));
    }
    return arena.used();
}

std::size_t attentionBytes(const WorkspaceShape& s, const Limits& limits, bool equal_length) {
    const BlockShape& b = s.block;
    const std::int64_t rows = limits.rows, keys = std::max(limits.key_rows, limits.rows),
                       statistics = rows * s.heads * 4;
    if (!limits.training) return static_cast<std::size_t>(rows * b.q * 2 + statistics);
    const int layers = s.layers - s.lowest;
    const int kept =
        s.mode == MemoryMode::Recompute ? 1 : layers - (s.mode == MemoryMode::Selective ? s.recomputed : 0);
    // dq, dk, dv and the float32 sum of dq; FlashAttention pads heads to 32 columns and copies dout and a strided out.
    std::int64_t bytes = (kept + 1) * statistics + rows * b.q * 2 + 2 * keys * b.kv * 2;
    if (equal_length)
        bytes += rows * b.q * (s.mode == MemoryMode::KeepAll ? 8 : 6);  // cuDNN wants out and dout without gaps
    else
        bytes += rows * s.heads * ((s.head_dim + 31) / 32 * 32) * 4 +
                 rows * b.q * 2 * (s.mode == MemoryMode::KeepAll ? 2 : 1);
    return static_cast<std::size_t>(bytes);
}

std::size_t residualBytes(const WorkspaceShape& s, const Limits& limits) {
    if (!s.residualsLeave(limits)) return 0;
    // Backward begins with the last layer, whose stream is still on the card.
    return static_cast<std::size_t>(std::int64_t{s.layers - s.lowest - 1} * limits.rows * s.block.hidden * 2);
}

std::size_t batchBytes(const Limits& limits) {
    // tokens, positions, two offsets, target rows and begins; keys, readers and begins; tokens and weights of targets.
    const std::int64_t numbers = 7 * (std::int64_t{limits.rows} + 1) + 2 * std::int64_t{limits.key_rows} +
                                 2 * (std::int64_t{limits.targets} + 1);
    const std::size_t bytes = static_cast<std::size_t>(numbers) * 4 + 12 * kAlign;
    return bytes + bytes / 4;
}

std::size_t neededBytes(const WorkspaceShape& shape, const Limits& limits) {
    Workspace measure;
    return Workspace::layOut(measure, nullptr, shape, limits) + attentionBytes(shape, limits, false);
}

std::uint64_t expandedBytes(const WorkspaceShape& shape, const Limits& limits, std::uint64_t embedding,
                            std::uint64_t available) {
    if (shape.mode != MemoryMode::KeepAll || !limits.training) return 0;
    Workspace measure;
    const std::uint64_t bytes = layOutExpanded(measure, nullptr, shape) + embedding;
    return bytes + neededBytes(shape, limits) + kSpare > available ? 0 : bytes;
}

}  // namespace studio::engine::gpu
