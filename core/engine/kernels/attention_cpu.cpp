// LibTorch's flash attention for CPUs, one call a sequence.
#include "engine/kernels/attention.h"

#include <limits>
#include <optional>
#include <tuple>

#include <ATen/core/Tensor.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward_cpu_dispatch.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_cpu_dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/sum.h>
#include <c10/core/InferenceMode.h>

#include "engine/kernels/parallel.h"

namespace studio::engine::kernels {
namespace {

// Key heads stand where LibTorch expects the batch, and the query heads that share one where it expects the heads: so
// keys are shared by a stride of zero instead of being copied.
at::Tensor queries(const AttentionShape& shape, const Matrix& m) {
    const std::int64_t group = shape.heads / shape.kv_heads, dim = shape.head_dim;
    return at::from_blob(m.data, {shape.kv_heads, group, m.rows, dim}, {group * dim, dim, m.ld, 1}, at::kFloat);
}

at::Tensor keys(const AttentionShape& shape, const Matrix& m) {
    const std::int64_t group = shape.heads / shape.kv_heads, dim = shape.head_dim;
    return at::from_blob(m.data, {shape.kv_heads, group, m.rows, dim}, {dim, 0, m.ld, 1}, at::kFloat);
}

at::Tensor keyGradients(const AttentionShape& shape, const Matrix& m) {
    const std::int64_t dim = shape.head_dim;
    return at::from_blob(m.data, {shape.kv_heads, m.rows, dim}, {dim, m.ld, 1}, at::kFloat);
}

at::Tensor logSums(const AttentionShape& shape, const Matrix& m) {
    const std::int64_t group = shape.heads / shape.kv_heads;
    return at::from_blob(m.data, {shape.kv_heads, group, m.rows}, {group, 1, m.ld}, at::kFloat);
}

// The operator's own causal mask is aligned top-left; with more keys than queries the mask is handed in.
std::optional<at::Tensor> mask(std::int64_t q_rows, std::int64_t k_rows) {
    if (q_rows == k_rows || q_rows == 1) return std::nullopt;
    at::Tensor allowed = at::empty({1, 1, q_rows, k_rows}, at::kFloat);
    float* values = allowed.data_ptr<float>();
    const std::int64_t shift = k_rows - q_rows;
    parallelFor(q_rows, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            for (std::int64_t j = 0; j < k_rows; ++j)
                values[i * k_rows + j] = j <= i + shift ? 0.0f : -std::numeric_limits<float>::infinity();
    });
    return allowed;
}

struct Piece {
    Matrix q, k;
    std::int64_t q_begin, k_begin;
    Matrix queriesOf(const Matrix& m) const { return m.rowRange(q_begin, q.rows); }
    Matrix keysOf(const Matrix& m) const { return m.rowRange(k_begin, k.rows); }
};

Piece piece(const Sequences& sequences, int s, const Matrix& q, const Matrix& k) {
    const int q_begin = sequences.cu_q[s], k_begin = sequences.cu_k[s];
    return {q.rowRange(q_begin, sequences.cu_q[s + 1] - q_begin), k.rowRange(k_begin, sequences.cu_k[s + 1] - k_begin),
            q_begin, k_begin};
}

Error failed(const std::exception& error) {
    return {ErrorCode::Internal, std::string("Attention failed: ") + error.what(),
            "If memory ran out, use a smaller batch or shorter sequences."};
}

}  // namespace

Result<void> attention(Stream, const AttentionShape& shape, const Sequences& sequences, const Matrix& q,
                       const Matrix& k, const Matrix& v, const Matrix& out, const Matrix& lse) try {
    const c10::InferenceMode guard;
    for (int s = 0; s < sequences.count(); ++s) {
        const Piece at = piece(sequences, s, q, k);
        if (at.q.rows == 0) continue;
        const bool causal = at.q.rows == at.k.rows && at.q.rows > 1;
        auto [result, log_sum] = at::cpu::_scaled_dot_product_flash_attention_for_cpu(
            queries(shape, at.q), keys(shape, at.k), keys(shape, at.keysOf(v)), 0.0, causal, mask(at.q.rows, at.k.rows),
            shape.scale);
        queries(shape, at.queriesOf(out)).copy_(result);
        if (lse.data != nullptr) logSums(shape, at.queriesOf(lse)).copy_(log_sum);
    }
    return {};
} catch (const std::exception& error) {
    return fail(failed(error));
}

Result<void> attentionBackward(Stream, const AttentionShape& shape, const Sequences& sequences, const Matrix& dout,
                               const Matrix& q, const Matrix& k, const Matrix& v, const Matrix& out, const Matrix& lse,
                               const Matrix& dq, const Matrix& dk, const Matrix& dv) try {
    const c10::InferenceMode guard;
    for (int s = 0; s < sequences.count(); ++s) {
        const Piece at = piece(sequences, s, q, k);
        if (at.q.rows == 0) continue;
        const bool causal = at.q.rows == at.k.rows && at.q.rows > 1;
        auto [grad_q, grad_k, grad_v] = at::cpu::_scaled_dot_product_flash_attention_for_cpu_backward(
            queries(shape, at.queriesOf(dout)), queries(shape, at.q), keys(shape, at.k), keys(shape, at.keysOf(v)),
            queries(shape, at.queriesOf(out)), logSums(shape, at.queriesOf(lse)), 0.0, causal,
            mask(at.q.rows, at.k.rows), shape.scale);
        queries(shape, at.queriesOf(dq)).copy_(grad_q);
        const bool shared = shape.heads != shape.kv_heads;
        keyGradients(shape, at.keysOf(dk)).copy_(shared ? grad_k.sum(1) : grad_k.select(1, 0));
        keyGradients(shape, at.keysOf(dv)).copy_(shared ? grad_v.sum(1) : grad_v.select(1, 0));
    }
    return {};
} catch (const std::exception& error) {
    return fail(failed(error));
}

}  // namespace studio::engine::kernels
