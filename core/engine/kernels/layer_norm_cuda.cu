#include "engine/kernels/layer_norm_cuda.h"

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

// A block a row, which its threads keep in registers: kParts pieces of eight values each.
template <int kThreads, int kParts>
__global__ void __launch_bounds__(kThreads)
    forward(const Bf16* x, std::int64_t ldx, const float* weight, const float* bias, int cols, float eps, Bf16* y,
            std::int64_t ldy, float* mean_out, float* rstd_out) {
    __shared__ float shared[kThreads / 32];
    const std::int64_t row = blockIdx.x;
    float v[kParts][8];
    float sum = 0;
#pragma unroll
    for (int p = 0; p < kParts; ++p) {
        const int c = (p * kThreads + threadIdx.x) * 8;
        if (c >= cols) continue;
        widen(loadEight(x + row * ldx + c), v[p]);
#pragma unroll
        for (int i = 0; i < 8; ++i) sum += v[p][i];
    }
    const float mean = blockSum<kThreads>(sum, shared) / static_cast<float>(cols);
    float squares = 0;
#pragma unroll
    for (int p = 0; p < kParts; ++p) {
        const int c = (p * kThreads + threadIdx.x) * 8;
        if (c >= cols) continue;
#pragma unroll
        for (int i = 0; i < 8; ++i) squares += (v[p][i] - mean) * (v[p][i] - mean);
    }
    const float rstd = rsqrtf(blockSum<kThreads>(squares, shared) / static_cast<float>(cols) + eps);
#pragma unroll
    for (int p = 0; p < kParts; ++p) {
        const int c = (p * kThreads + threadIdx.x) * 8;
        if (c >= cols) continue;
#pragma unroll
        for (int i = 0; i < 8; ++i) v[p][i] = (v[p][i] - mean) * rstd * weight[c + i] + bias[c + i];
        storeEight(y + row * ldy + c, narrow(v[p]));
    }
    if (threadIdx.x == 0) {
        mean_out[row] = mean;
        rstd_out[row] = rstd;
    }
}

template <int kThreads, int kParts>
__global__ void __launch_bounds__(kThreads)
    backward(const Bf16* dy, std::int64_t lddy, const Bf16* x, std::int64_t ldx, const float* weight,
             const float* means, const float* rstds, int cols, bool accumulate, Bf16* dx, std::int64_t lddx) {
    __shared__ float shared[kThreads / 32];
    const std::int64_t row = blockIdx.x;
    const float mean = means[row], rstd = rstds[row];
    float d[kParts][8], normed[kParts][8];
    float sum = 0, sum_x = 0;
#pragma unroll
    for (int p = 0; p < kParts; ++p) {
        const int c = (p * kThreads + threadIdx.x) * 8;
        if (c >= cols) continue;
        widen(loadEight(dy + row * lddy + c), d[p]);
        widen(loadEight(x + row * ldx + c), normed[p]);
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            d[p][i] *= weight[c + i];
            normed[p][i] = (normed[p][i] - mean) * rstd;
            sum += d[p][i];
            sum_x += d[p][i] * normed[p][i];
        }
    }
    const float mean_d = blockSum<kThreads>(sum, shared) / static_cast<float>(cols);
    const float mean_dx = blockSum<kThreads>(sum_x, shared) / static_cast<float>(cols);
#pragma unroll
    for (int p = 0; p < kParts; ++p) {
        const int c = (p * kThreads + threadIdx.x) * 8;
        if (c >= cols) continue;
        float out[8] = {};
        if (accumulate) widen(loadEight(dx + row * lddx + c), out);
#pragma unroll
        for (int i = 0; i < 8; ++i) out[i] += rstd * (d[p][i] - mean_d - normed[p][i] * mean_dx);
        storeEight(dx + row * lddx + c, narrow(out));
    }
}

// A warp a row, kept packed: no barrier, and every load is under way at once.
constexpr int kWarpRows = 4, kWarpParts = 10;
__global__ void __launch_bounds__(32 * kWarpRows)
    forwardNarrow(const Bf16* x, std::int64_t ldx, const float* weight, const float* bias, int rows, int cols,
                  float eps, Bf16* y, std::int64_t ldy, float* mean_out, float* rstd_out) {
    const int row = static_cast<int>(blockIdx.x) * kWarpRows + static_cast<int>(threadIdx.x / 32);
    const int lane = threadIdx.x % 32;
    if (row >= rows) return;
    Eight packed[kWarpParts];
    float sum = 0;
#pragma unroll
    for (int p = 0; p < kWarpParts; ++p)
        if (const int c = (p * 32 + lane) * 8; c < cols) packed[p] = loadEight(x + row * ldx + c);
#pragma unroll
    for (int p = 0; p < kWarpParts; ++p) {
        if ((p * 32 + lane) * 8 >= cols) continue;
        float v[8];
        widen(packed[p], v);
#pragma unroll
        for (int i = 0; i < 8; ++i) sum += v[i];
    }
    const float mean = warpSum(sum) / static_cast<float>(cols);
    float squares = 0;
#pragma unroll
    for (int p = 0; p < kWarpParts; ++p) {
        if ((p * 32 + lane) * 8 >= cols) continue;
        float v[8];
        widen(packed[p], v);
#pragma unroll
        for (int i = 0; i < 8; ++i) squares += (v[i] - mean) * (v[i] - mean);
    }
    const float rstd = rsqrtf(warpSum(squares) / static_cast<float>(cols) + eps);
#pragma unroll
    for (int p = 0; p < kWarpParts; ++p) {
        const int c = (p * 32 + lane) * 8;
        if (c >= cols) continue;
        float v[8], w[8], b[8];
        widen(packed[p], v);
        *reinterpret_cast<float4*>(w) = *reinterpret_cast<const float4*>(weight + c);
        *reinterpret_cast<float4*>(w + 4) = *reinterpret_cast<const float4*>(weight + c + 4);
        *reinterpret_cast<float4*>(b) = *reinterpret_cast<const float4*>(bias + c);
        *reinterpret_cast<float4*>(b + 4) = *reinterpret_cast<const float4*>(bias + c + 4);
#pragma unroll
        for (int i = 0; i < 8; ++i) v[i] = (v[i] - mean) * rstd * w[i] + b[i];
        storeEight(y + row * ldy + c, narrow(v));
    }
    if (lane == 0) {
        mean_out[row] = mean;
        rstd_out[row] = rstd;
    }
}

// Threads of a block so that a row of phi-2 leaves no thread idle.
constexpr int kNarrow = 160, kWide = 512;

}  // namespace

void layerNorm(Stream stream, const Matrix& x, const float* weight, const float* bias, float eps, const Matrix& y,
               float* mean, float* rstd) {
    if (x.rows == 0) return;
    const auto rows = static_cast<unsigned>(x.rows);
    const int cols = static_cast<int>(x.cols);
    if (cols <= kWarpParts * 256)
        forwardNarrow<<<blocksFor(x.rows, kWarpRows), 32 * kWarpRows, 0, queue(stream)>>>(
            bf16(x), x.ld, weight, bias, static_cast<int>(x.rows), cols, eps, bf16(y), y.ld, mean, rstd);
    else
        forward<kWide, 2>
            <<<rows, kWide, 0, queue(stream)>>>(bf16(x), x.ld, weight, bias, cols, eps, bf16(y), y.ld, mean, rstd);
}

void layerNormBackward(Stream stream, const Matrix& dy, const Matrix& x, const float* weight, const float* mean,
                       const float* rstd, bool accumulate, const Matrix& dx) {
    if (x.rows == 0) return;
    const auto rows = static_cast<unsigned>(x.rows);
    const int cols = static_cast<int>(x.cols);
    if (cols <= kNarrow * 16)
        backward<kNarrow, 2><<<rows, kNarrow, 0, queue(stream)>>>(bf16(dy), dy.ld, bf16(x), x.ld, weight, mean, rstd,
                                                                  cols, accumulate, bf16(dx), dx.ld);
    else
        backward<kWide, 2><<<rows, kWide, 0, queue(stream)>>>(bf16(dy), dy.ld, bf16(x), x.ld, weight, mean, rstd, cols,
                                                              accumulate, bf16(dx), dx.ld);
}

}  // namespace studio::engine::kernels::gpu
