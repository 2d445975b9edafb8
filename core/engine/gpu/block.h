// One block of phi on the GPU: x' = x + [o | gelu | u₂]·[W₂ | B₂]ᵀ + b₂ with [q | k | v | fc1] = [u₁ | h]·[B₁ | W₁]ᵀ +
// b₁. LoRA rides in the products' inner dimension, both ways: dz = [du₂ | g]·[A₂ ; W₂], dh = [dy | du₁]·[W₁ ; A₁]. fc1
// and fc2 are products of their own, each with its own columns of u only.
#pragma once

#include <algorithm>

#include "engine/gpu/adapter.h"
#include "engine/gpu/batch.h"
#include "engine/gpu/workspace.h"
#include "engine/kernels/dropout.h"
#include "engine/kernels/gemm_cuda.h"
#include "engine/kernels/rope.h"

namespace studio::engine::gpu {

// What every block shares.
struct Geometry {
    BlockShape shape;
    kernels::AttentionShape attention;
    kernels::RopeTable rope;  // on the device
    float norm_epsilon = 1e-5f;
};

// Settings of one pass over the blocks.
struct Pass {
    Stream stream = nullptr;
    kernels::gpu::Gemm* gemm = nullptr;
    float strength = 1;  // of the adapter
    double lora_dropout = 0, resid_dropout = 0;
    kernels::DropoutKey key;  // layer and module are filled in
    bool deterministic = false;
};

class Block {
  public:
    // `lora` may be null: the base model.
    Block(const Pass& pass, const Geometry& geometry, const BlockWeights& weights, const BlockLora* lora, int layer,
          const Workspace& ws)
        : pass_(pass), geometry_(geometry), weights_(weights), lora_(lora), layer_(layer), ws_(ws) {}

    // x_out may be x. `state` null: no backward follows.
    Result<void> forward(const DeviceBatch& batch, const Matrix& x, const Activations& act, const Matrix& x_out,
                         kernels::gpu::AttentionStateHandle* state) const;
    // What the memory mode did not keep, again.
    Result<void> recompute(const DeviceBatch& batch, const Matrix& x, const Activations& act, MemoryMode mode,
                           kernels::gpu::AttentionStateHandle* state) const;
    // `g`: gradient of the block's output (its tail is overwritten), becomes that of its input if `needs_input`. Adds
    // to the adapter's gradients; overwrites y.
    Result<void> backward(const DeviceBatch& batch, const Matrix& x, const Activations& act, const Matrix& g,
                          bool needs_input, kernels::gpu::AttentionStateHandle& state) const;

    // The two halves of forward, between which decoding puts a cache: LN, q | k | v | fc1 rotated; and from attention's
    // output in act.o to the block's.
    Result<void> project(const int* positions, const Matrix& x, const Activations& act) const;
    Result<void> output(const Matrix& x, const Activations& act, const Matrix& x_out) const;

  private:
    struct Columns;
    Result<void> normalise(const Matrix& x, const Activations& act) const;
    Result<void> inputProduct(const Activations& act, std::int64_t row, std::int64_t rows, std::int64_t u_begin,
                              const void* bias, const Matrix& out) const;
    Result<void> outputProduct(const Activations& act, std::int64_t column, std::int64_t columns, const void* bias,
                               float beta, const Matrix& addend, const Matrix& out) const;
    Result<void> outputProductBackward(const Matrix& g, std::int64_t column, std::int64_t columns, std::int64_t u_begin,
                                       const Matrix& out) const;
    Result<void> attend(const DeviceBatch& batch, const Activations& act,
                        kernels::gpu::AttentionStateHandle* state) const;
    Result<void> activate(const Activations& act, bool copy_attended) const;
    Result<void> down(const LoraPartStack& stack, const Matrix& x, const Matrix& u) const;
    Result<void> outputBackward(const Activations& act, const Matrix& g, bool through) const;
    Result<void> branchBackward(const Activations& act, const Matrix& g, bool through) const;
    Result<void> attentionBackward(const DeviceBatch& batch, const Activations& act,
                                   kernels::gpu::AttentionStateHandle& state) const;
    Result<void> inputBackward(const Activations& act, bool needs_input) const;
    Result<void> loraGradients(const LoraPartStack& stack, const Matrix& dout, const Matrix& x, const Matrix& u,
                               const Matrix& du) const;
    Result<void> droppedInput(const LoraPartStack& stack, const Matrix& du, const Matrix& dx) const;
    Matrix group(std::int64_t rows, std::int64_t cols) const { return bf16Matrix(ws_.weights, rows, cols, cols); }
    // A product with expanded weights, `total` rows or columns of them with `others` elements each, in as many pieces
    // as the workspace asks for: use(begin, count).
    template <class Use>
    Result<void> inPieces(std::int64_t total, std::int64_t others, const Use& use) const {
        constexpr std::int64_t kStep = 64;
        const auto room = static_cast<std::int64_t>(ws_.weights_bytes) / (2 * others);
        if (total <= room) return use(std::int64_t{0}, total);
        const std::int64_t most = room / kStep * kStep, pieces = (total + most - 1) / most;
        const std::int64_t piece = (total + pieces * kStep - 1) / (pieces * kStep) * kStep;
        for (std::int64_t begin = 0; begin < total; begin += piece)
            STUDIO_CHECK(use(begin, std::min(piece, total - begin)));
        return {};
    }
    Matrix small(std::int64_t rows, std::int64_t cols) const { return bf16Matrix(ws_.lora, rows, cols, cols); }
    // Linears that stay expanded; null where they do not.
    const Matrix* keptInput() const {
        return ws_.input_weights.empty() ? nullptr : &ws_.input_weights[static_cast<std::size_t>(layer_)];
    }
    const Matrix* keptOutput() const {
        return ws_.output_weights.empty() ? nullptr : &ws_.output_weights[static_cast<std::size_t>(layer_)];
    }
    kernels::DropoutKey key(std::uint32_t module) const;
    bool dropsInputs() const { return pass_.lora_dropout > 0; }
    // h in hu, the gradient in g, and the columns of u and du before them.
    Matrix h(const Activations& act) const { return act.hu.columns(ws_.u_width, geometry_.shape.hidden); }
    Matrix u(const Activations& act) const { return act.hu.columns(ws_.u_width - inputWidth(), inputWidth()); }
    Matrix gradient(const Matrix& g) const { return g.columns(ws_.du_width, geometry_.shape.hidden); }
    Matrix du(const Matrix& g) const { return g.columns(ws_.du_width - outputWidth(), outputWidth()); }
    // Widths of u; 0 without an adapter.
    std::int64_t inputWidth() const { return lora_ == nullptr ? 0 : lora_->input.width; }
    std::int64_t outputWidth() const { return lora_ == nullptr ? 0 : lora_->dense.width + lora_->fc2.width; }

    const Pass& pass_;
    const Geometry& geometry_;
    const BlockWeights& weights_;
    const BlockLora* lora_;
    int layer_;
    const Workspace& ws_;
};

// A of a stack as rows of a region, from (row, column) on, which may lie outside it; or B (times scaling and strength)
// as its columns from `column` on, where the region begins with row `row` of the stack's output.
void addDown(kernels::gpu::LoraPatches& patches, const LoraPartStack& stack, std::int64_t row, std::int64_t column);
void addUp(kernels::gpu::LoraPatches& patches, const LoraPartStack& stack, float strength, std::int64_t column,
           std::int64_t row = 0);

}  // namespace studio::engine::gpu
