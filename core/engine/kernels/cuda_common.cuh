// What the CUDA kernels share: eight bf16 values at a time, sums over a block.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "engine/kernels/matrix.h"

namespace studio::engine::kernels::gpu {

inline cudaStream_t queue(Stream stream) {
    return static_cast<cudaStream_t>(stream);
}

using Bf16 = __nv_bfloat16;

inline Bf16* bf16(const Matrix& m) {
    return static_cast<Bf16*>(m.data);
}

struct alignas(16) Eight {
    Bf16 v[8];
};

__device__ inline Eight loadEight(const Bf16* p) {
    Eight e;
    *reinterpret_cast<uint4*>(&e) = *reinterpret_cast<const uint4*>(p);
    return e;
}

__device__ inline void storeEight(Bf16* p, const Eight& e) {
    *reinterpret_cast<uint4*>(p) = *reinterpret_cast<const uint4*>(&e);
}

__device__ inline void widen(const Eight& e, float* out) {
#pragma unroll
    for (int i = 0; i < 8; ++i) out[i] = __bfloat162float(e.v[i]);
}

__device__ inline Eight narrow(const float* in) {
    Eight e;
#pragma unroll
    for (int i = 0; i < 8; ++i) e.v[i] = __float2bfloat16(in[i]);
    return e;
}

__device__ inline float warpSum(float x) {
#pragma unroll
    for (int lane = 16; lane > 0; lane >>= 1) x += __shfl_xor_sync(0xffffffffu, x, lane);
    return x;
}

// Sum over the block, the same for every thread. `shared`: one float for each warp.
template <int kThreads>
__device__ inline float blockSum(float x, float* shared) {
    x = warpSum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
    __syncthreads();
    x = threadIdx.x % 32 < kThreads / 32 ? shared[threadIdx.x % 32] : 0.0f;
    return warpSum(x);
}

inline unsigned blocksFor(std::int64_t count, int threads) {
    return static_cast<unsigned>((count + threads - 1) / threads);
}

}  // namespace studio::engine::kernels::gpu
