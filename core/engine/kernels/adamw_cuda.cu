#include "engine/kernels/adamw_cuda.h"

#include <cmath>

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;

struct Factors {
    float scale, decay, weight1, beta2, weight2, correction2, epsilon, step_size;
};

__device__ void one(const Factors& f, float& p, float g, float& m, float& v) {
    const float gradient = g * f.scale;
    m = f.weight1 < 0.5f ? m + f.weight1 * (gradient - m) : gradient - (gradient - m) * (1.0f - f.weight1);
    v = v * f.beta2 + f.weight2 * gradient * gradient;
    p = p * f.decay - f.step_size * m / (sqrtf(v) / f.correction2 + f.epsilon);
}

__global__ void __launch_bounds__(kThreads)
    update(Factors f, std::int64_t count, float* p, const float* g, float* m, float* v) {
    const std::int64_t i = (blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x) * 4;
    if (i + 4 <= count) {
        float4 p4 = *reinterpret_cast<float4*>(p + i), m4 = *reinterpret_cast<float4*>(m + i);
        float4 v4 = *reinterpret_cast<float4*>(v + i);
        const float4 g4 = *reinterpret_cast<const float4*>(g + i);
        one(f, p4.x, g4.x, m4.x, v4.x);
        one(f, p4.y, g4.y, m4.y, v4.y);
        one(f, p4.z, g4.z, m4.z, v4.z);
        one(f, p4.w, g4.w, m4.w, v4.w);
        *reinterpret_cast<float4*>(p + i) = p4;
        *reinterpret_cast<float4*>(m + i) = m4;
        *reinterpret_cast<float4*>(v + i) = v4;
    } else {
        for (std::int64_t j = i; j < count; ++j) one(f, p[j], g[j], m[j], v[j]);
    }
}

// Adds up the threads' sums in one fixed order; the result is in thread 0.
__device__ double total(double own) {
    __shared__ double shared[kThreads];
    shared[threadIdx.x] = own;
    __syncthreads();
    for (int half = kThreads / 2; half > 0; half /= 2) {
        if (static_cast<int>(threadIdx.x) < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    return shared[0];
}

__global__ void __launch_bounds__(kThreads) squares(const float* values, std::int64_t count, double* partial) {
    double sum = 0;
    for (std::int64_t i = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x; i < count;
         i += static_cast<std::int64_t>(kNormParts) * kThreads)
        sum += static_cast<double>(values[i]) * values[i];
    const double all = total(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = all;
}

__global__ void __launch_bounds__(kThreads) lastSum(const double* partial, double* out) {
    double sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < kNormParts; i += kThreads) sum += partial[i];
    const double all = total(sum);
    if (threadIdx.x == 0) *out = all;
}

}  // namespace

void adamW(Stream stream, const AdamWStep& step, std::int64_t count, float* parameters, const float* gradients,
           float* exp_avg, float* exp_avg_sq) {
    if (count == 0) return;
    const double t = static_cast<double>(step.t);
    const Factors factors{static_cast<float>(step.gradient_scale),
                          static_cast<float>(1 - step.learning_rate * step.weight_decay),
                          static_cast<float>(1 - step.beta1),
                          static_cast<float>(step.beta2),
                          static_cast<float>(1 - step.beta2),
                          static_cast<float>(std::sqrt(1 - std::pow(step.beta2, t))),
                          static_cast<float>(step.epsilon),
                          static_cast<float>(step.learning_rate / (1 - std::pow(step.beta1, t)))};
    update<<<blocksFor((count + 3) / 4, kThreads), kThreads, 0, queue(stream)>>>(factors, count, parameters, gradients,
                                                                                 exp_avg, exp_avg_sq);
}

void sumOfSquares(Stream stream, const float* values, std::int64_t count, double* partial, double* sum) {
    squares<<<kNormParts, kThreads, 0, queue(stream)>>>(values, count, partial);
    lastSum<<<1, kThreads, 0, queue(stream)>>>(partial, sum);
}

}  // namespace studio::engine::kernels::gpu
