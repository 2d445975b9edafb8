#include "engine/kernels/parallel.h"
#include "engine/kernels/rope.h"
#include "engine/kernels/simd_cpu.h"

namespace studio::engine::kernels {
namespace {

STUDIO_SIMD void rotateRow(float* x, int heads, int head_dim, int half, const float* cos, const float* sin,
                           float sign) {
    for (int head = 0; head < heads; ++head, x += head_dim) {
#pragma omp simd
        for (int j = 0; j < half; ++j) {
            const float a = x[j], b = x[j + half], s = sign * sin[j];
            x[j] = a * cos[j] - b * s;
            x[j + half] = b * cos[j] + a * s;
        }
    }
}

}  // namespace

void rotate(Stream, const Matrix& x, int heads, int head_dim, const RopeTable& table, const int* positions,
            bool inverse) {
    const float sign = inverse ? -1.0f : 1.0f;
    parallelFor(x.rows, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t at = static_cast<std::int64_t>(positions[i]) * table.half;
            rotateRow(x.row(i), heads, head_dim, table.half, table.cos + at, table.sin + at, sign);
        }
    });
}

}  // namespace studio::engine::kernels
