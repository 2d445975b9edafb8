#include "engine/kernels/rope_cuda.h"

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;

// A thread one pair (x[j], x[j + half]) of a head.
__global__ void __launch_bounds__(kThreads)
    rotatePairs(Bf16* x, std::int64_t ld, int heads, int head_dim, RopeTable table, const int* positions, float sign,
                std::int64_t count) {
    const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x;
    if (i >= count) return;
    const std::int64_t per_row = static_cast<std::int64_t>(heads) * table.half, row = i / per_row;
    const int rest = static_cast<int>(i - row * per_row), head = rest / table.half, j = rest - head * table.half;
    Bf16* at = x + row * ld + head * head_dim + j;
    const std::int64_t angle = static_cast<std::int64_t>(positions[row]) * table.half + j;
    const float a = __bfloat162float(at[0]), b = __bfloat162float(at[table.half]);
    const float c = table.cos[angle], s = sign * table.sin[angle];
    at[0] = __float2bfloat16(a * c - b * s);
    at[table.half] = __float2bfloat16(b * c + a * s);
}

// A thread eight pairs; half is a multiple of 8.
__global__ void __launch_bounds__(kThreads)
    rotateEights(Bf16* x, std::int64_t ld, int heads, int head_dim, RopeTable table, const int* positions, float sign,
                 std::uint32_t count) {
    const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
    if (i >= count) return;
    const std::uint32_t eights = static_cast<std::uint32_t>(table.half) / 8, per_row = heads * eights,
                        row = i / per_row;
    const std::uint32_t rest = i - row * per_row, head = rest / eights, j = (rest - head * eights) * 8;
    Bf16* at = x + row * ld + head * static_cast<std::uint32_t>(head_dim) + j;
    const std::int64_t angle = static_cast<std::int64_t>(positions[row]) * table.half + j;
    float a[8], b[8], first[8], second[8];
    widen(loadEight(at), a);
    widen(loadEight(at + table.half), b);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
        const float c = table.cos[angle + k], s = sign * table.sin[angle + k];
        first[k] = a[k] * c - b[k] * s;
        second[k] = b[k] * c + a[k] * s;
    }
    storeEight(at, narrow(first));
    storeEight(at + table.half, narrow(second));
}

// A thread eight columns.
__global__ void __launch_bounds__(kThreads)
    pack(const Bf16* dq, const Bf16* dk, const Bf16* dv, int q, int kv, int head_dim, RopeTable table,
         const int* positions, Bf16* out, std::int64_t ld) {
    const std::int64_t row = blockIdx.x;
    const float* cos = table.cos + static_cast<std::int64_t>(positions[row]) * table.half;
    const float* sin = table.sin + static_cast<std::int64_t>(positions[row]) * table.half;
    for (int c = threadIdx.x * 8; c < q + 2 * kv; c += kThreads * 8) {
        const Bf16* from = c < q        ? dq + row * q + c
                           : c < q + kv ? dk + row * kv + (c - q)
                                        : dv + row * kv + (c - q - kv);
        Eight e = loadEight(from);
        const int d = (c < q ? c : c - q) % head_dim;
        if (c < q + kv && d < 2 * table.half) {
            const bool first = d < table.half;
            const Eight other = loadEight(first ? from + table.half : from - table.half);
            const int j = first ? d : d - table.half;
#pragma unroll
            for (int i = 0; i < 8; ++i) {
                const float own = __bfloat162float(e.v[i]), partner = __bfloat162float(other.v[i]);
                const float s = first ? sin[j + i] : -sin[j + i];
                e.v[i] = __float2bfloat16(own * cos[j + i] + partner * s);
            }
        }
        storeEight(out + row * ld + c, e);
    }
}

}  // namespace

void rotate(Stream stream, const Matrix& x, int heads, int head_dim, const RopeTable& table, const int* positions,
            bool inverse) {
    const std::int64_t count = x.rows * heads * table.half;
    if (count == 0) return;
    if (table.half % 8 == 0) {
        rotateEights<<<blocksFor(count / 8, kThreads), kThreads, 0, queue(stream)>>>(
            bf16(x), x.ld, heads, head_dim, table, positions, inverse ? -1.0f : 1.0f,
            static_cast<std::uint32_t>(count / 8));
        return;
    }
    rotatePairs<<<blocksFor(count, kThreads), kThreads, 0, queue(stream)>>>(bf16(x), x.ld, heads, head_dim, table,
                                                                            positions, inverse ? -1.0f : 1.0f, count);
}

void packGradients(Stream stream, const Matrix& dq, const Matrix& dk, const Matrix& dv, int head_dim,
                   const RopeTable& table, const int* positions, const Matrix& out) {
    if (out.rows == 0) return;
    pack<<<static_cast<unsigned>(out.rows), kThreads, 0, queue(stream)>>>(
        bf16(dq), bf16(dk), bf16(dv), static_cast<int>(dq.cols), static_cast<int>(dk.cols), head_dim, table, positions,
        bf16(out), out.ld);
}

}  // namespace studio::engine::kernels::gpu
