#include "engine/kernels/cross_entropy.h"

#include <cmath>
#include <limits>

#include "engine/kernels/parallel.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

STUDIO_SIMD float maximum(const float* x, std::int64_t n) {
    float best = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : best)
    for (std::int64_t i = 0; i < n; ++i) best = x[i] > best ? x[i] : best;
    return best;
}

STUDIO_SIMD float sumOfExp(const float* x, float shift, std::int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < n; ++i) sum += vectorExp(x[i] - shift);
    return sum;
}

STUDIO_SIMD float exponentiate(float* x, float shift, std::int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < n; ++i) {
        x[i] = vectorExp(x[i] - shift);
        sum += x[i];
    }
    return sum;
}

STUDIO_SIMD void scale(float* x, float factor, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

void oneRow(float* logits, std::int64_t n, const RowTargets& targets, std::int64_t row, float* nll, bool gradient) {
    const int begin = targets.begin[row], end = targets.begin[row + 1];
    const float shift = maximum(logits, n);
    for (int t = begin; t < end; ++t) nll[t] = shift - logits[targets.token[t]];
    const float sum = gradient ? exponentiate(logits, shift, n) : sumOfExp(logits, shift, n);
    const float log_sum = std::log(sum);
    float weights = 0;
    for (int t = begin; t < end; ++t) {
        nll[t] += log_sum;
        weights += targets.weight[t];
    }
    if (!gradient) return;
    scale(logits, weights / sum, n);
    for (int t = begin; t < end; ++t) logits[targets.token[t]] -= targets.weight[t];
}

}  // namespace

void crossEntropy(Stream, const Matrix& logits, const RowTargets& targets, float* nll, bool gradient) {
    parallelFor(logits.rows, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) oneRow(logits.row(i), logits.cols, targets, i, nll, gradient);
    });
}

}  // namespace studio::engine::kernels
