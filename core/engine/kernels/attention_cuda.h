// Attention on the GPU through LibTorch's kernels: FlashAttention-2 over packed sequences of different lengths, cuDNN
// where all sequences are as long. Causal, aligned bottom-right, as in attention.h.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/kernels/attention.h"

namespace studio::engine::kernels::gpu {

// Sequences whose offsets are on the device; see Sequences.
struct DeviceSequences {
    const int *cu_q = nullptr, *cu_k = nullptr;
    int count = 0, longest_q = 0, longest_k = 0;
    int equal_length = 0;  // of every sequence, queries and keys alike; 0 if they differ
};

// What backward needs besides q, k, v and the output.
struct AttentionState;
struct DropState {
    void operator()(AttentionState* state) const noexcept;
};
using AttentionStateHandle = std::unique_ptr<AttentionState, DropState>;

// q: [queries, heads·head_dim] bf16, rows may have gaps; head_dim a multiple of 8, at most 256. `state` null: no
// backward follows.
Result<void> attention(Stream stream, const AttentionShape& shape, const DeviceSequences& sequences, const Matrix& q,
                       const Matrix& k, const Matrix& v, const Matrix& out, bool deterministic,
                       AttentionStateHandle* state);

// Gradients in memory of the state, [rows, width] without gaps, valid until it is dropped or used again.
struct AttentionGradients {
    Matrix dq, dk, dv;
};
Result<AttentionGradients> attentionBackward(Stream stream, const AttentionShape& shape,
                                             const DeviceSequences& sequences, const Matrix& dout, const Matrix& q,
                                             const Matrix& k, const Matrix& v, const Matrix& out,
                                             AttentionState& state);

}  // namespace studio::engine::kernels::gpu
