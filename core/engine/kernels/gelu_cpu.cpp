#include "engine/kernels/gelu.h"

#include "engine/kernels/parallel.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

constexpr float kTwiceRoot = 1.5957691216057308f;  // 2·√(2/π)
constexpr float kCubic = 0.044715f;

// Of the sigmoid's argument; the inner derivative is below.
inline float inside(float x) {
    return kTwiceRoot * (x + kCubic * x * x * x);
}

STUDIO_SIMD void forwardRow(const float* x, float* y, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
        const float v = x[i];
        y[i] = v / (1.0f + vectorExp(-inside(v)));
    }
}

STUDIO_SIMD void backwardRow(const float* dy, const float* x, float* dx, std::int64_t n) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
        const float v = x[i];
        const float e = vectorExp(-inside(v)), s = 1.0f / (1.0f + e);  // 1 − s = e·s, without cancellation
        const float inner = kTwiceRoot * (1.0f + 3.0f * kCubic * v * v);
        dx[i] = dy[i] * (s + v * (e * s * s) * inner);
    }
}

constexpr std::int64_t kGrain = 8;

}  // namespace

void gelu(Stream, const Matrix& x, const Matrix& y) {
    parallelFor(x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) forwardRow(x.row(i), y.row(i), x.cols);
    });
}

void geluBackward(Stream, const Matrix& dy, const Matrix& x, const Matrix& dx) {
    parallelFor(x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) backwardRow(dy.row(i), x.row(i), dx.row(i), x.cols);
    });
}

}  // namespace studio::engine::kernels
