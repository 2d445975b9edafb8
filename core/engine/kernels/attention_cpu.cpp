// Blocks of queries against all the keys they see: products by the BLAS, softmax by rows. A task writes only what is
// its own, so results do not depend on which thread does what.
#include "engine/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "engine/kernels/aligned_allocator.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/parallel.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

constexpr std::int64_t kBlock = 64;              // queries at a time
constexpr std::int64_t kWorthThreads = 1 << 20;  // products; a single decoded token is below it

// x[j] = e^(x[j] − shift); returns the sum.
STUDIO_SIMD float exponentiate(float* x, float shift, std::int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t j = 0; j < n; ++j) {
        x[j] = vectorExp(x[j] - shift);
        sum += x[j];
    }
    return sum;
}

STUDIO_SIMD float maximum(const float* x, std::int64_t n) {
    float best = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : best)
    for (std::int64_t j = 0; j < n; ++j) best = x[j] > best ? x[j] : best;
    return best;
}

STUDIO_SIMD void scaleRow(float* x, float factor, std::int64_t n) {
#pragma omp simd
    for (std::int64_t j = 0; j < n; ++j) x[j] *= factor;
}

STUDIO_SIMD float dot(const float* a, const float* b, std::int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t j = 0; j < n; ++j) sum += a[j] * b[j];
    return sum;
}

// p = e^(p − lse) and dp = p·(dp − delta)·scale.
STUDIO_SIMD void softmaxBackwardRow(float* p, float* dp, float lse, float delta, float scale, std::int64_t n) {
#pragma omp simd
    for (std::int64_t j = 0; j < n; ++j) {
        p[j] = vectorExp(p[j] - lse);
        dp[j] = p[j] * (dp[j] - delta) * scale;
    }
}

struct Task {
    int sequence = 0, head = 0;  // a query head in forward, a key head in backward
    std::int64_t block = 0;      // first query; only in forward
};

// The rows of one sequence in one head.
struct Piece {
    Piece(const AttentionShape& shape, const Sequences& sequences, int sequence)
        : dim(shape.head_dim),
          group(shape.heads / shape.kv_heads),
          q_begin(sequences.cu_q[static_cast<std::size_t>(sequence)]),
          q_rows(sequences.cu_q[static_cast<std::size_t>(sequence) + 1] - q_begin),
          k_begin(sequences.cu_k[static_cast<std::size_t>(sequence)]),
          k_rows(sequences.cu_k[static_cast<std::size_t>(sequence) + 1] - k_begin) {}

    Matrix queries(const Matrix& m, int head, std::int64_t first, std::int64_t count) const {
        return m.rowRange(q_begin + first, count).columns(head * dim, dim);
    }
    Matrix keys(const Matrix& m, int kv_head, std::int64_t count) const {
        return m.rowRange(k_begin, count).columns(kv_head * dim, dim);
    }
    // Keys that query `row` sees.
    std::int64_t seen(std::int64_t row) const { return k_rows - q_rows + row + 1; }

    std::int64_t dim;
    int group;
    std::int64_t q_begin, q_rows, k_begin, k_rows;
};

std::int64_t longest(std::span<const int> cu) {
    std::int64_t most = 0;
    for (std::size_t s = 1; s < cu.size(); ++s) most = std::max<std::int64_t>(most, cu[s] - cu[s - 1]);
    return most;
}

// `floats` for every thread, each from its own cache line on.
class ThreadScratch {
  public:
    explicit ThreadScratch(std::int64_t floats)
        : stride_((floats + 15) / 16 * 16), memory_(static_cast<std::size_t>(stride_ * threads())) {}
    float* of(int thread) { return memory_.data() + stride_ * thread; }

  private:
    std::int64_t stride_;
    AlignedFloats memory_;
};

Error noMemory() {
    return {ErrorCode::OutOfMemory, "There is not enough memory for the attention of this batch.",
            "Use a smaller batch or shorter sequences."};
}

void forwardBlock(const AttentionShape& shape, const Piece& piece, const Task& task, const Matrix& q, const Matrix& k,
                  const Matrix& v, const Matrix& out, const Matrix& lse, float* scratch) {
    const std::int64_t rows = std::min(kBlock, piece.q_rows - task.block);
    const std::int64_t seen = piece.seen(task.block + rows - 1);
    const int kv_head = task.head / piece.group;
    const Matrix scores = matrix(scratch, rows, seen, (seen + 15) / 16 * 16);
    const Matrix result = piece.queries(out, task.head, task.block, rows);
    gemm(nullptr, Op::Plain, Op::Transposed, shape.scale, piece.queries(q, task.head, task.block, rows),
         piece.keys(k, kv_head, seen), 0, scores);
    float sums[kBlock];
    for (std::int64_t i = 0; i < rows; ++i) {
        float* row = scores.row(i);
        const std::int64_t own = piece.seen(task.block + i);
        const float shift = maximum(row, own);
        sums[i] = exponentiate(row, shift, own);
        std::fill(row + own, row + seen, 0.0f);
        if (lse.data != nullptr) lse.row(piece.q_begin + task.block + i)[task.head] = shift + std::log(sums[i]);
    }
    gemm(nullptr, Op::Plain, Op::Plain, 1, scores, piece.keys(v, kv_head, seen), 0, result);
    for (std::int64_t i = 0; i < rows; ++i) scaleRow(result.row(i), 1.0f / sums[i], piece.dim);
}

// Gradients of one sequence and key head; those of keys and values are summed up beside and written at the end, so that
// they may take the places of k and v.
struct BackwardTask {
    const AttentionShape& shape;
    const Piece& piece;
    const Matrix &dout, &q, &k, &v, &out, &lse, &dq;
    Matrix p, dp, dk, dv;  // scratch: scores and their gradient [block, keys]; sums [keys, head_dim]

    void block(int head, int kv_head, std::int64_t first) {
        const std::int64_t rows = std::min(kBlock, piece.q_rows - first), seen = piece.seen(first + rows - 1);
        const Matrix queries = piece.queries(q, head, first, rows), douts = piece.queries(dout, head, first, rows);
        const Matrix outs = piece.queries(out, head, first, rows);
        const Matrix keys = piece.keys(k, kv_head, seen), values = piece.keys(v, kv_head, seen);
        const Matrix scores = p.top(rows).columns(0, seen), dscores = dp.top(rows).columns(0, seen);
        gemm(nullptr, Op::Plain, Op::Transposed, shape.scale, queries, keys, 0, scores);
        gemm(nullptr, Op::Plain, Op::Transposed, 1, douts, values, 0, dscores);
        for (std::int64_t i = 0; i < rows; ++i) {
            const std::int64_t own = piece.seen(first + i);
            const float delta = dot(douts.row(i), outs.row(i), piece.dim);
            softmaxBackwardRow(scores.row(i), dscores.row(i), lse.row(piece.q_begin + first + i)[head], delta,
                               shape.scale, own);
            std::fill(scores.row(i) + own, scores.row(i) + seen, 0.0f);
            std::fill(dscores.row(i) + own, dscores.row(i) + seen, 0.0f);
        }
        gemm(nullptr, Op::Transposed, Op::Plain, 1, scores, douts, 1, dv.top(seen));
        gemm(nullptr, Op::Transposed, Op::Plain, 1, dscores, queries, 1, dk.top(seen));
        gemm(nullptr, Op::Plain, Op::Plain, 1, dscores, keys, 0, piece.queries(dq, head, first, rows));
    }
};

void backwardHead(const AttentionShape& shape, const Piece& piece, int kv_head, const Matrix& dout, const Matrix& q,
                  const Matrix& k, const Matrix& v, const Matrix& out, const Matrix& lse, const Matrix& dq,
                  const Matrix& dk, const Matrix& dv, float* scratch) {
    const std::int64_t keys_ld = (piece.k_rows + 15) / 16 * 16, dim_ld = (piece.dim + 15) / 16 * 16;
    float* p = scratch;
    float* dp = p + kBlock * keys_ld;
    float* sum_k = dp + kBlock * keys_ld;
    float* sum_v = sum_k + piece.k_rows * dim_ld;
    std::fill(sum_k, sum_v + piece.k_rows * dim_ld, 0.0f);
    BackwardTask task{shape,
                      piece,
                      dout,
                      q,
                      k,
                      v,
                      out,
                      lse,
                      dq,
                      matrix(p, kBlock, piece.k_rows, keys_ld),
                      matrix(dp, kBlock, piece.k_rows, keys_ld),
                      matrix(sum_k, piece.k_rows, piece.dim, dim_ld),
                      matrix(sum_v, piece.k_rows, piece.dim, dim_ld)};
    for (int head = kv_head * piece.group; head < (kv_head + 1) * piece.group; ++head)
        for (std::int64_t first = 0; first < piece.q_rows; first += kBlock) task.block(head, kv_head, first);
    const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(piece.dim);
    for (std::int64_t j = 0; j < piece.k_rows; ++j) {
        std::memcpy(piece.keys(dk, kv_head, piece.k_rows).row(j), task.dk.row(j), bytes);
        std::memcpy(piece.keys(dv, kv_head, piece.k_rows).row(j), task.dv.row(j), bytes);
    }
}

}  // namespace

Result<void> attention(Stream, const AttentionShape& shape, const Sequences& sequences, const Matrix& q,
                       const Matrix& k, const Matrix& v, const Matrix& out, const Matrix& lse) try {
    std::vector<Task> tasks;
    std::int64_t products = 0;
    for (int s = 0; s < sequences.count(); ++s) {
        const Piece piece(shape, sequences, s);
        products += piece.q_rows * piece.k_rows * shape.heads * shape.head_dim;
        for (int head = 0; head < shape.heads; ++head)
            for (std::int64_t block = 0; block < piece.q_rows; block += kBlock) tasks.push_back({s, head, block});
    }
    ThreadScratch scratch(kBlock * ((longest(sequences.cu_k) + 15) / 16 * 16));
    const auto one = [&](std::int64_t index, int thread) {
        const Task& task = tasks[static_cast<std::size_t>(index)];
        forwardBlock(shape, Piece(shape, sequences, task.sequence), task, q, k, v, out, lse, scratch.of(thread));
    };
    const auto count = static_cast<std::int64_t>(tasks.size());
    if (products >= kWorthThreads) {
        parallelTasks(count, one);
    } else {
        for (std::int64_t index = 0; index < count; ++index) one(index, 0);
    }
    return {};
} catch (const std::bad_alloc&) {
    return fail(noMemory());
}

Result<void> attentionBackward(Stream, const AttentionShape& shape, const Sequences& sequences, const Matrix& dout,
                               const Matrix& q, const Matrix& k, const Matrix& v, const Matrix& out, const Matrix& lse,
                               const Matrix& dq, const Matrix& dk, const Matrix& dv) try {
    std::vector<Task> tasks;
    for (int s = 0; s < sequences.count(); ++s)
        for (int head = 0; head < shape.kv_heads; ++head) tasks.push_back({s, head, 0});
    const std::int64_t keys = longest(sequences.cu_k), dim_ld = (shape.head_dim + 15) / 16 * 16;
    ThreadScratch scratch(2 * kBlock * ((keys + 15) / 16 * 16) + 2 * keys * dim_ld);
    parallelTasks(static_cast<std::int64_t>(tasks.size()), [&](std::int64_t index, int thread) {
        const Task& task = tasks[static_cast<std::size_t>(index)];
        backwardHead(shape, Piece(shape, sequences, task.sequence), task.head, dout, q, k, v, out, lse, dq, dk, dv,
                     scratch.of(thread));
    });
    return {};
} catch (const std::bad_alloc&) {
    return fail(noMemory());
}

}  // namespace studio::engine::kernels
