// One block of phi: x' = x + dense(attention(LN(x))) + fc2(gelu(fc1(LN(x)))), attention and MLP in parallel.
#pragma once

#include <cstdint>
#include <span>

#include "engine/kernels/attention.h"
#include "engine/kernels/rope.h"
#include "engine/model/adapter.h"
#include "engine/model/base_weights.h"
#include "engine/model/row_plan.h"

namespace studio::engine {

// What every block shares.
struct BlockGeometry {
    BlockShape shape;
    kernels::AttentionShape attention;
    kernels::RopeTable rope;
    float norm_epsilon = 1e-5f;
};

// Activations of one block, all [rows, …]; what backward needs. `y` holds q | k | v | fc1, q and k rotated; `z` holds
// attention's output | gelu; u_*: A·x of the LoRA stacks.
struct BlockActivations {
    kernels::Matrix h, y, z, lse, u_input, u_dense, u_fc2;
    float *mean = nullptr, *rstd = nullptr;

    BlockActivations top(std::int64_t rows) const;
};

// Buffers that all blocks use in turn.
struct Scratch {
    float* weights = nullptr;      // a group of linears expanded to float32
    kernels::Matrix wide;          // [rows, max(hidden, q, intermediate)]: dropped inputs of LoRA
    kernels::Matrix residual;      // [rows, hidden]: a branch before its dropout
    kernels::Matrix keys, values;  // [key rows, kv]: gathered
    // Backward only.
    kernels::Matrix dkeys, dvalues, dz, dh, du;

    Scratch top(std::int64_t rows, std::int64_t key_rows) const;
};

// Settings of one pass over the blocks.
struct PassOptions {
    kernels::Stream stream = nullptr;
    float strength = 1;                   // of the adapter
    const float* row_strength = nullptr;  // [rows], of each row, and strength is 1; null: the same for all
    double lora_dropout = 0, resid_dropout = 0;
    kernels::DropoutKey key;  // layer and module are filled in
};

// What attention reads of the rows of a pass, and where it writes; lse as in kernels::attention.
struct AttentionRows {
    kernels::Matrix q, k, v, out, lse;
};

// Where attention finds its keys: the batch's own rows, gathered ancestors, or caches.
class KeySource {
  public:
    virtual ~KeySource() = default;
    virtual std::span<const int> positions() const = 0;
    virtual Result<void> attend(kernels::Stream stream, const kernels::AttentionShape& shape, int layer,
                                const AttentionRows& rows) = 0;
};

class Block {
  public:
    // `adapter` may be null: the base model.
    Block(const BlockGeometry& geometry, const BlockWeights& weights, const BlockAdapter* adapter, int layer)
        : geometry_(geometry), weights_(weights), adapter_(adapter), layer_(layer) {}

    // x_out may be x. Without x_out only the activations are computed (again).
    Result<void> forward(const PassOptions& pass, const kernels::Matrix& x, KeySource& source, const Scratch& scratch,
                         const BlockActivations& activations, const kernels::Matrix* x_out) const;

    // `g`: gradient of the block's output, becomes that of its input if `needs_input`. Adds to the adapter's gradients;
    // overwrites y.
    Result<void> backward(const PassOptions& pass, const kernels::Matrix& x, const RowPlan& plan,
                          const Scratch& scratch, const BlockActivations& activations, const kernels::Matrix& g,
                          bool needs_input) const;

  private:
    struct Columns;
    void writeOutput(const PassOptions& pass, const kernels::Matrix& x, const Scratch& scratch,
                     const BlockActivations& activations, const kernels::Matrix& x_out) const;
    void outputBackward(const PassOptions& pass, const Scratch& scratch, const BlockActivations& activations,
                        const kernels::Matrix& g, bool needs_input) const;
    Result<void> attentionBackward(const PassOptions& pass, const RowPlan& plan, const Scratch& scratch,
                                   const BlockActivations& activations) const;
    LoraDropout loraDropout(const PassOptions& pass) const;
    kernels::DropoutKey residualKey(const PassOptions& pass, std::uint32_t branch) const;

    const BlockGeometry& geometry_;
    const BlockWeights& weights_;
    const BlockAdapter* adapter_;
    int layer_;
};

}  // namespace studio::engine
