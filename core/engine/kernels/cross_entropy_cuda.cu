#include "engine/kernels/cross_entropy_cuda.h"

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 512;

// Two running values of a softmax: the maximum and the sum of exponentials below it.
struct MaxSum {
    float max = -INFINITY, sum = 0;
    __device__ void join(float other_max, float other_sum) {
        const float top = fmaxf(max, other_max);
        if (top == -INFINITY) return;
        sum = sum * __expf(max - top) + other_sum * __expf(other_max - top);
        max = top;
    }
};

__device__ MaxSum overBlock(MaxSum own, MaxSum* shared) {
    for (int lane = 16; lane > 0; lane >>= 1) {
        const float max = __shfl_xor_sync(0xffffffffu, own.max, lane),
                    sum = __shfl_xor_sync(0xffffffffu, own.sum, lane);
        own.join(max, sum);
    }
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = own;
    __syncthreads();
    MaxSum all;
    for (int w = 0; w < kThreads / 32; ++w) all.join(shared[w].max, shared[w].sum);
    return all;
}

// A block a row. The gradient at the targets is set last, from their own nll.
__global__ void __launch_bounds__(kThreads) lossRows(Bf16* logits, std::int64_t ld, int cols, RowTargets targets,
                                                     std::int64_t first, float* nll, bool gradient) {
    __shared__ MaxSum shared[kThreads / 32];
    Bf16* row = logits + blockIdx.x * ld;
    const int begin = targets.begin[first + blockIdx.x], end = targets.begin[first + blockIdx.x + 1];
    MaxSum own;
    for (int c = threadIdx.x * 8; c < cols; c += kThreads * 8) {
        float v[8];
        widen(loadEight(row + c), v);
        float top = v[0];
#pragma unroll
        for (int i = 1; i < 8; ++i) top = fmaxf(top, v[i]);
        float sum = 0;
        const float max = fmaxf(own.max, top);
        if (max == -INFINITY) continue;
#pragma unroll
        for (int i = 0; i < 8; ++i) sum += __expf(v[i] - max);
        own.sum = own.sum * __expf(own.max - max) + sum;
        own.max = max;
    }
    const MaxSum all = overBlock(own, shared);
    const float log_sum = all.max + __logf(all.sum);
    float weights = 0;
    for (int t = begin; t < end; ++t) weights += targets.weight[t];
    for (int t = begin + static_cast<int>(threadIdx.x); t < end; t += kThreads)
        nll[t] = log_sum - __bfloat162float(row[targets.token[t]]);
    if (!gradient) return;
    __syncthreads();
    const float factor = weights / all.sum;
    for (int c = threadIdx.x * 8; c < cols; c += kThreads * 8) {
        float v[8];
        widen(loadEight(row + c), v);
#pragma unroll
        for (int i = 0; i < 8; ++i) v[i] = factor * __expf(v[i] - all.max);
        storeEight(row + c, narrow(v));
    }
    __syncthreads();
    for (int t = begin + static_cast<int>(threadIdx.x); t < end; t += kThreads) {
        float own_weight = 0;  // of all targets with this token
        for (int other = begin; other < end; ++other)
            own_weight += targets.token[other] == targets.token[t] ? targets.weight[other] : 0.0f;
        row[targets.token[t]] = __float2bfloat16(weights * __expf(-nll[t]) - own_weight);
    }
}

}  // namespace

void crossEntropy(Stream stream, const Matrix& logits, const RowTargets& targets, std::int64_t first, float* nll,
                  bool gradient) {
    if (logits.rows == 0) return;
    lossRows<<<static_cast<unsigned>(logits.rows), kThreads, 0, queue(stream)>>>(
        bf16(logits), logits.ld, static_cast<int>(logits.cols), targets, first, nll, gradient);
}

}  // namespace studio::engine::kernels::gpu
