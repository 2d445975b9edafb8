#include "engine/kernels/gelu_cuda.h"

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;
constexpr float kTwiceRoot = 1.5957691216057308f;  // 2·√(2/π)
constexpr float kCubic = 0.044715f;

__device__ float sigmoidPart(float v) {
    return 1.0f / (1.0f + __expf(-kTwiceRoot * (v + kCubic * v * v * v)));
}

__global__ void __launch_bounds__(kThreads)
    forward(const Bf16* x, std::int64_t ldx, Bf16* y, std::int64_t ldy, int cols) {
    const std::int64_t row = blockIdx.x;
    const int c = (blockIdx.y * kThreads + threadIdx.x) * 8;
    if (c >= cols) return;
    float v[8];
    widen(loadEight(x + row * ldx + c), v);
#pragma unroll
    for (int i = 0; i < 8; ++i) v[i] *= sigmoidPart(v[i]);
    storeEight(y + row * ldy + c, narrow(v));
}

__global__ void __launch_bounds__(kThreads) backward(const Bf16* dy, std::int64_t lddy, const Bf16* x, std::int64_t ldx,
                                                     Bf16* dx, std::int64_t lddx, int cols) {
    const std::int64_t row = blockIdx.x;
    const int c = (blockIdx.y * kThreads + threadIdx.x) * 8;
    if (c >= cols) return;
    float v[8], d[8];
    widen(loadEight(x + row * ldx + c), v);
    widen(loadEight(dy + row * lddy + c), d);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const float s = sigmoidPart(v[i]), inner = kTwiceRoot * (1.0f + 3.0f * kCubic * v[i] * v[i]);
        d[i] *= s + v[i] * s * (1.0f - s) * inner;
    }
    storeEight(dx + row * lddx + c, narrow(d));
}

dim3 grid(const Matrix& x) {
    return {static_cast<unsigned>(x.rows), blocksFor(x.cols / 8, kThreads)};
}

}  // namespace

void gelu(Stream stream, const Matrix& x, const Matrix& y) {
    if (x.rows == 0) return;
    forward<<<grid(x), kThreads, 0, queue(stream)>>>(bf16(x), x.ld, bf16(y), y.ld, static_cast<int>(x.cols));
}

void geluBackward(Stream stream, const Matrix& dy, const Matrix& x, const Matrix& dx) {
    if (x.rows == 0) return;
    backward<<<grid(x), kThreads, 0, queue(stream)>>>(bf16(dy), dy.ld, bf16(x), x.ld, bf16(dx), dx.ld,
                                                      static_cast<int>(x.cols));
}

}  // namespace studio::engine::kernels::gpu
