// All buffers of forward and backward in one piece of the GPU's memory. What is kept of each layer is the memory mode.
#pragma once

#include <vector>

#include "engine/gpu/weights.h"
#include "engine/model/phi_model.h"

namespace studio::engine::gpu {

// What a workspace depends on besides the limits.
struct WorkspaceShape {
    BlockShape block;
    int layers = 0, heads = 0, head_dim = 0;
    std::int64_t vocab = 0;
    std::int64_t input_width = 0, dense_width = 0, fc2_width = 0;  // of u
    int lowest = 0;                                                // first layer whose activations backward needs
    MemoryMode mode = MemoryMode::KeepAll;                         // never Auto
    int recomputed = 0;                                            // see Workspace
    // With Recompute: the residual stream before each layer waits in the computer's memory until backward needs it.
    bool residuals_in_host = true;

    std::int64_t outputTail() const { return dense_width + fc2_width; }
    bool residualsLeave(const Limits& limits) const {
        return limits.training && mode == MemoryMode::Recompute && residuals_in_host;
    }
};

// Of one layer, [rows, …] in bf16. hu: u of q, k, v, fc1 | h = LN(x). y: q | k | v | fc1 | du of these. o: attention's
// output. z: o | gelu(fc1) | u of dense and fc2. With everything kept, o is z's first columns.
struct Activations {
    Matrix hu, y, z, o;
    float *mean = nullptr, *rstd = nullptr;
    Activations top(std::int64_t rows) const;
};

struct Workspace {
    // The residual stream before each kept layer, and after the last. Where it leaves the card they share two buffers
    // in turn; see residuals.h.
    std::vector<Matrix> x;
    bool residuals_leave = false;
    std::vector<Activations> kept;  // one a kept layer, or one for all
    Matrix g;                       // [rows, du of dense, fc2 | gradient of the stream]
    Matrix dz, dh;                  // [rows, …]
    Matrix keys, values;            // [key rows, kv]: gathered
    Matrix wide, residual;          // dropped inputs and branches; empty without dropout
    void* weights = nullptr;        // a group of linears with its LoRA columns or rows, in bf16, or a piece of it
    std::size_t weights_bytes = 0;
    void* lora = nullptr;  // A or B of one stack in bf16
    // Where memory is plenty the linears stay expanded, a layer each: [inputOut + u, u | hidden] with B in the first
    // columns and A in the last rows, and [du + hidden, outputIn | du] with A in the first rows and B in the last
    // columns.
    std::vector<Matrix> input_weights, output_weights;
    Matrix embedding;               // then on the card too
    Matrix hidden, normed, logits;  // of the head: rows with targets; one chunk of logits
    float *head_mean = nullptr, *head_rstd = nullptr, *nll = nullptr;
    MemoryMode mode = MemoryMode::KeepAll;
    int recomputed = 0;  // with Selective: that many layers from the lowest on keep nothing
    int lowest = 0;
    bool training = false;
    std::int64_t u_width = 0, du_width = 0;  // columns before h in hu, before the gradient in g
    struct Bytes {
        // Of the head: what does not lie where a block's buffers are idle in its time.
        std::size_t activations = 0, workspace = 0, logits = 0;
    } bytes;

    const Matrix& input(int layer) const { return x[slot(layer)]; }
    const Matrix& output(int layer) const { return x[training && layer >= lowest ? slot(layer) + 1 : 0]; }
    const Activations& of(int layer) const {
        return kept[mode == MemoryMode::Recompute || !training ? 0 : slot(layer)];
    }
    // What is kept of a layer.
    MemoryMode modeOf(int layer) const {
        return mode == MemoryMode::Selective && layer - lowest < recomputed ? MemoryMode::Recompute : mode;
    }
    std::size_t slot(int layer) const {
        return static_cast<std::size_t>(training && layer > lowest ? layer - lowest : 0);
    }

    // Lays the buffers out from `base` on, which may be null to measure; bytes used.
    static std::size_t layOut(Workspace& into, std::byte* base, const WorkspaceShape& shape, const Limits& limits);
};

// Lays out the linears that stay expanded; bytes used.
std::size_t layOutExpanded(Workspace& into, std::byte* base, const WorkspaceShape& shape);

// LibTorch's part at its peak: gradients of attention for one layer, statistics of all. cuDNN computes sequences of one
// length, FlashAttention the others, for which it copies strided inputs.
std::size_t attentionBytes(const WorkspaceShape& shape, const Limits& limits, bool equal_length);

// Of the computer's memory: the residual stream of the layers, where it leaves the card; else 0.
std::size_t residualBytes(const WorkspaceShape& shape, const Limits& limits);
// Whether that may be taken of `available` bytes (0: not known). It is pinned, so other programs lose it.
inline bool hostHasRoom(std::size_t bytes, std::size_t available) {
    return available == 0 || bytes <= available / 2;
}

// A batch's own numbers on the card, with the room left for a larger one (BatchUpload).
std::size_t batchBytes(const Limits& limits);

// Of workspace and attention, whatever the lengths: what a run must find free.
std::size_t neededBytes(const WorkspaceShape& shape, const Limits& limits);

// Bytes of the linears and the embedding (`embedding`) where they are to stay expanded, which saves expanding each
// linear twice a step: with everything kept and with memory to spare beside the rest. Else 0.
std::uint64_t expandedBytes(const WorkspaceShape& shape, const Limits& limits, std::uint64_t embedding,
                            std::uint64_t available);

// Left free for the libraries' own needs and gaps between blocks; and to others before linears stay expanded.
inline constexpr std::uint64_t kMargin = std::uint64_t{256} << 20, kSpare = std::uint64_t{4} << 30;

}  // namespace studio::engine::gpu
