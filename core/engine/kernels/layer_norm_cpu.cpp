#include "engine/kernels/layer_norm.h"

#include <cmath>

#include "engine/kernels/parallel.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

STUDIO_SIMD void normaliseRow(const float* x, const float* weight, const float* bias, std::int64_t n, float eps,
                              float* y, float* mean_out, float* rstd_out) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < n; ++i) sum += x[i];
    const float mean = sum / static_cast<float>(n);
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1.0f / std::sqrt(squares / static_cast<float>(n) + eps);
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
    *mean_out = mean;
    *rstd_out = rstd;
}

STUDIO_SIMD void backwardRow(const float* dy, const float* x, const float* weight, std::int64_t n, float mean,
                             float rstd, float* dx) {
    float sum = 0, sum_x = 0;
#pragma omp simd reduction(+ : sum, sum_x)
    for (std::int64_t i = 0; i < n; ++i) {
        const float d = dy[i] * weight[i];
        sum += d;
        sum_x += d * ((x[i] - mean) * rstd);
    }
    const float mean_d = sum / static_cast<float>(n), mean_dx = sum_x / static_cast<float>(n);
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) dx[i] += rstd * (dy[i] * weight[i] - mean_d - (x[i] - mean) * rstd * mean_dx);
}

constexpr std::int64_t kGrain = 16;

}  // namespace

void layerNorm(Stream, const Matrix& x, const float* weight, const float* bias, float eps, const Matrix& y, float* mean,
               float* rstd) {
    parallelFor(x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            normaliseRow(x.row(i), weight, bias, x.cols, eps, y.row(i), mean + i, rstd + i);
    });
}

void layerNormBackward(Stream, const Matrix& dy, const Matrix& x, const float* weight, const float* mean,
                       const float* rstd, const Matrix& dx) {
    parallelFor(x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            backwardRow(dy.row(i), x.row(i), weight, x.cols, mean[i], rstd[i], dx.row(i));
    });
}

}  // namespace studio::engine::kernels
