#include <cmath>

#include "engine/kernels/cuda_common.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 1024, kWarps = kThreads / 32;
constexpr int kMost = kThreads;          // tokens that are put in order
constexpr int kBins = kThreads;          // of the distance to the largest logit
constexpr float kBinsATemperature = 32;  // so the last one begins at e^-32

// Orders as the float does, and lower ids before higher ones: the largest key is the most probable token.
using Key = unsigned long long;
__device__ inline Key keyOf(float logit, int id) {
    const unsigned bits = __float_as_uint(logit);
    const unsigned ordered = bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
    return static_cast<Key>(ordered) << 32 | ~static_cast<unsigned>(id);
}
__device__ inline int idOf(Key key) {
    return static_cast<int>(~static_cast<unsigned>(key));
}
__device__ inline float logitOf(Key key) {
    const auto ordered = static_cast<unsigned>(key >> 32);
    return __uint_as_float(ordered >> 31 != 0 ? ordered & 0x7fffffffu : ~ordered);
}

struct Shared {
    Key keys[kMost];
    int bins[kBins];
    double sums[kWarps];
    Key best[kWarps];
    int count, cut, kept, drawn;
};

// Σ over the threads up to and with this one; `all`: over all of them.
template <class T>
__device__ T sumUpTo(T value, T* warps, T* all) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
    for (int step = 1; step < 32; step <<= 1) {
        const T before = __shfl_up_sync(0xffffffffu, value, step);
        if (lane >= step) value += before;
    }
    __syncthreads();
    if (lane == 31) warps[warp] = value;
    __syncthreads();
    T before = 0, total = 0;
    for (int w = 0; w < kWarps; ++w) {
        if (w < warp) before += warps[w];
        total += warps[w];
    }
    __syncthreads();
    if (all != nullptr) *all = total;
    return before + value;
}

__device__ Key mostProbable(const float* logits, int vocab, Shared& s) {
    Key best = 0;
#pragma unroll 8
    for (int id = threadIdx.x; id < vocab; id += kThreads) {
        const Key key = isnan(logits[id]) ? 0 : keyOf(logits[id], id);
        best = key > best ? key : best;
    }
#pragma unroll
    for (int step = 16; step > 0; step >>= 1) {
        const Key other = __shfl_xor_sync(0xffffffffu, best, step);
        best = other > best ? other : best;
    }
    if (threadIdx.x % 32 == 0) s.best[threadIdx.x / 32] = best;
    __syncthreads();
    for (int w = 0; w < kWarps; ++w) best = s.best[w] > best ? s.best[w] : best;
    return best;
}

// Bitonic, largest first, a pair for every second thread.
__device__ void sortDescending(Key* keys) {
    const int i = threadIdx.x;
    for (int size = 2; size <= kMost; size <<= 1)
        for (int step = size / 2; step > 0; step >>= 1) {
            __syncthreads();
            const int other = i ^ step;
            if (other < i) continue;
            const bool descending = (i & size) == 0;
            if ((keys[i] < keys[other]) == descending) {
                const Key swapped = keys[i];
                keys[i] = keys[other];
                keys[other] = swapped;
            }
        }
    __syncthreads();
}

// The drawn one of the most probable tokens, which are put in order; −1 where that takes more of them than fit.
__device__ int drawn(const float* logits, float best, const api::Draw& draw, Shared& s) {
    const auto temperature = static_cast<float>(draw.temperature);
    const int i = threadIdx.x;
    // How many tokens are how far from the best one, and the sum of all weights.
    const auto binOf = [&](float logit) {
        return static_cast<int>(fminf((best - logit) / temperature * kBinsATemperature, kBins - 1.0f));
    };
    s.bins[i] = 0;
    s.keys[i] = 0;
    if (i == 0) {
        s.count = 0;
        s.cut = s.drawn = -1;
        s.kept = 0;
    }
    __syncthreads();
    float sum = 0;
    for (int id = i; id < draw.vocab; id += kThreads) {
        const float logit = logits[id];
        if (!isfinite(logit)) continue;
        sum += expf((logit - best) / temperature);
        atomicAdd(&s.bins[binOf(logit)], 1);
    }
    double all = 0;
    sumUpTo(static_cast<double>(sum), s.sums, &all);
    int finite = 0;
    const int up_to = sumUpTo(s.bins[i], reinterpret_cast<int*>(s.best), &finite);
    if (up_to <= kMost) atomicMax(&s.cut, i);
    __syncthreads();
    for (int id = i; id < draw.vocab; id += kThreads) {
        const float logit = logits[id];
        if (isfinite(logit) && binOf(logit) <= s.cut) s.keys[atomicAdd(&s.count, 1)] = keyOf(logit, id);
    }
    sortDescending(s.keys);
    const int count = s.count;
    const bool complete = count == finite;
    const int top_k = draw.top_k > 0 ? draw.top_k : finite;
    if (count == 0 || (draw.top_k > 0 && count < top_k && !complete)) return -1;
    // top_k, and whatever equals the last of them.
    const float own = i < count ? logitOf(s.keys[i]) : -INFINITY;
    if (i < count && (i < top_k || own == logitOf(s.keys[min(top_k, count) - 1]))) atomicAdd(&s.kept, 1);
    __syncthreads();
    const double weight =
        i < s.kept ? exp((static_cast<double>(own) - static_cast<double>(best)) / draw.temperature) : 0.0;
    double kept = 0;
    const double until = sumUpTo(weight, s.sums, &kept), before = until - weight;
    if (draw.top_k <= 0 && !complete) kept = all;
    // top_p: up to the first one with which it is reached.
    double left = kept;
    if (draw.top_p < 1) {
        const double wanted = draw.top_p * kept;
        if (i == 0) s.sums[0] = -1;
        __syncthreads();
        if (i < s.kept && until >= wanted && (i == 0 || before < wanted)) s.sums[0] = until;
        __syncthreads();
        if (s.sums[0] < 0 && !complete && draw.top_k <= 0) return -1;
        left = s.sums[0] < 0 ? kept : s.sums[0];
    }
    const double at = draw.uniform * left;
    if (i < s.kept && until > at && (i == 0 || before <= at)) s.drawn = idOf(s.keys[i]);
    __syncthreads();
    return s.drawn;
}

__global__ void __launch_bounds__(kThreads)
    drawRow(const float* logits, const __grid_constant__ api::Draw draw, int* token) {
    __shared__ Shared s;
    const Key best = mostProbable(logits, draw.vocab, s);
    int id = best == 0 ? 0 : idOf(best);
    if (draw.temperature > 0) {
        const int other = drawn(logits, logitOf(best), draw, s);
        if (other >= 0) id = other;
    }
    if (threadIdx.x == 0) *token = id;
}

}  // namespace

void decodeDraw(Stream stream, const float* logits, const api::Draw& draw, int* token) {
    drawRow<<<1, kThreads, 0, queue(stream)>>>(logits, draw, token);
}

}  // namespace studio::engine::kernels::gpu
