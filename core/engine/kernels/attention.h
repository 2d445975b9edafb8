// Scaled dot-product attention over packed sequences of different lengths, softmax in float32.
#pragma once

#include <span>

#include "base/result.h"
#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

struct AttentionShape {
    int heads = 0, kv_heads = 0;  // kv_heads divides heads: heads / kv_heads neighbours share keys and values
    int head_dim = 0;
    float scale = 1;  // of q·k
};

// Sequence s has queries [cu_q[s], cu_q[s + 1]) and keys [cu_k[s], cu_k[s + 1]), at least as many keys as queries. The
// causal mask is aligned bottom-right: the last query sees every key, the one before it all but the last.
struct Sequences {
    std::span<const int> cu_q, cu_k;
    int count() const { return static_cast<int>(cu_q.size()) - 1; }
};

// q, out: [queries, heads·head_dim]; k, v: [keys, kv_heads·head_dim]; lse: [queries, heads], the natural log of the
// softmax's denominator, kept for backward.
Result<void> attention(Stream stream, const AttentionShape& shape, const Sequences& sequences, const Matrix& q,
                       const Matrix& k, const Matrix& v, const Matrix& out, const Matrix& lse);

// Overwrites dq (like q), dk and dv (like k and v).
Result<void> attentionBackward(Stream stream, const AttentionShape& shape, const Sequences& sequences,
                               const Matrix& dout, const Matrix& q, const Matrix& k, const Matrix& v, const Matrix& out,
                               const Matrix& lse, const Matrix& dq, const Matrix& dk, const Matrix& dv);

}  // namespace studio::engine::kernels
