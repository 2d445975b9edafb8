#include "engine/kernels/decode_cuda.h"

#include <algorithm>

#include "engine/kernels/decode_cuda.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kAttendThreads = 128, kAttendWarps = kAttendThreads / 32;
constexpr int kWidestHead = 128;
constexpr int kKeysAtOnce = kAttendThreads / 2;  // two threads a key
constexpr int kValuesAhead = kWidestHead / 16;   // rows of values a thread holds: kKeysAtOnce / groups, rounded up
constexpr int kMostSplits = kDecodeMostSplits;

struct NormGroup {
    DecodeLora lora[4];
    int count = 0;
};

constexpr int kNormThreads = 640, kNormRows = 4, kMostPieces = kDecodeMostPieces;

// Every block of threads adds up and normalises the row, four values a thread; the first one writes it, each has four
// rows of A, which it reads before the kernel in front has ended.
__global__ void __launch_bounds__(kNormThreads)
    normRow(const __grid_constant__ DecodeNorm n, const __grid_constant__ NormGroup group) {
    __shared__ float shared[kNormThreads / 32], dots[kNormRows][kNormThreads / 32];
    letNextStart();
    const int c = static_cast<int>(threadIdx.x) * 4;
    const bool inside = c < n.hidden;
    float4 a[kNormRows];
    float* to[kNormRows];
#pragma unroll
    for (int k = 0; k < kNormRows; ++k) {
        int row = static_cast<int>(blockIdx.x) * kNormRows + k, number = 0;
        while (number < group.count && row >= group.lora[number].r) row -= group.lora[number++].r;
        to[k] = number < group.count ? const_cast<float*>(group.lora[number].u) + row : nullptr;
        a[k] = make_float4(0, 0, 0, 0);
        if (to[k] != nullptr && inside)
            a[k] =
                *reinterpret_cast<const float4*>(group.lora[number].a + static_cast<std::int64_t>(row) * n.hidden + c);
    }
    float4 weight = make_float4(0, 0, 0, 0), bias = weight, v = weight, piece[kMostPieces];
    if (inside) {
        weight = *reinterpret_cast<const float4*>(n.weight + c);
        bias = *reinterpret_cast<const float4*>(n.bias + c);
    }
    waitForPrevious();
    if (inside) {
        v = *reinterpret_cast<const float4*>(n.x + c);
#pragma unroll
        for (int p = 0; p < kMostPieces; ++p)
            piece[p] =
                p < n.count ? *reinterpret_cast<const float4*>(n.pieces + p * n.hidden + c) : make_float4(0, 0, 0, 0);
#pragma unroll
        for (int p = 0; p < kMostPieces; ++p)
            v = make_float4(v.x + piece[p].x, v.y + piece[p].y, v.z + piece[p].z, v.w + piece[p].w);
    }
    const float size = static_cast<float>(n.hidden);
    const float mean = blockSum<kNormThreads>(v.x + v.y + v.z + v.w, shared) / size;
    const float4 d = inside ? make_float4(v.x - mean, v.y - mean, v.z - mean, v.w - mean) : make_float4(0, 0, 0, 0);
    const float squares = blockSum<kNormThreads>(d.x * d.x + d.y * d.y + d.z * d.z + d.w * d.w, shared);
    const float rstd = rsqrtf(squares / size + n.eps);
    const float4 h = make_float4(d.x * rstd * weight.x + bias.x, d.y * rstd * weight.y + bias.y,
                                 d.z * rstd * weight.z + bias.z, d.w * rstd * weight.w + bias.w);
    if (blockIdx.x == 0 && inside) {
        *reinterpret_cast<float4*>(n.x_out + c) = v;
        if (n.h != nullptr) *reinterpret_cast<float4*>(n.h + c) = h;
        if (n.h_half != nullptr) {
            const auto half = [](float x) { return __float2half(fminf(fmaxf(x, -65504.f), 65504.f)); };
            __half2* halves = reinterpret_cast<__half2*>(static_cast<__half*>(n.h_half) + c);
            halves[0] = __halves2half2(half(h.x), half(h.y));
            halves[1] = __halves2half2(half(h.z), half(h.w));
        }
    }
#pragma unroll
    for (int k = 0; k < kNormRows; ++k) {
        const float dot = warpSum(a[k].x * h.x + a[k].y * h.y + a[k].z * h.z + a[k].w * h.w);
        if (threadIdx.x % 32 == 0) dots[k][threadIdx.x / 32] = dot;
    }
    __syncthreads();
    const int k = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (k >= kNormRows) return;
    const float all = warpSum(lane < kNormThreads / 32 ? dots[k][lane] : 0.0f);
#pragma unroll
    for (int i = 0; i < kNormRows; ++i)
        if (i == k && lane == 0 && to[i] != nullptr) *to[i] = all;
}

// One head and one piece of the sequence. Scores: two threads a key. Values: groups of head_dim / 8 threads, a key
// each.
__global__ void __launch_bounds__(kAttendThreads) attend(const __grid_constant__ DecodeAttention a) {
    __shared__ float q[kWidestHead], score[kKeysAtOnce], sums[kAttendThreads * 8], shared[kAttendWarps];
    letNextStart();
    const int head = blockIdx.x, split = blockIdx.y, dim = a.head_dim, kv_head = head / (a.heads / a.kv_heads);
    const int n = *a.position, length = n + 1, per = (length + a.splits - 1) / a.splits;
    const int begin = split * per, end = min(length, begin + per), width = a.kv_heads * dim;
    const int tid = static_cast<int>(threadIdx.x);
    const Bf16* keys = static_cast<const Bf16*>(a.keys) + kv_head * dim;
    const Bf16* values = static_cast<const Bf16*>(a.values) + kv_head * dim;
    // Earlier rows of the cache do not depend on this token.
    for (int i = tid; i < (end - begin) * 2; i += kAttendThreads) {
        const std::int64_t at = static_cast<std::int64_t>(begin + i / 2) * width + i % 2 * 64;
        prefetch(keys + at);
        prefetch(values + at);
    }
    waitForPrevious();
    const float* cos = a.rope.cos + static_cast<std::int64_t>(n) * a.rope.half;
    const float* sin = a.rope.sin + static_cast<std::int64_t>(n) * a.rope.half;
    const auto rotated = [&](const float* v, int i) {
        if (i >= 2 * a.rope.half) return v[i];
        const int j = i % a.rope.half;
        return i < a.rope.half ? v[i] * cos[j] - v[i + a.rope.half] * sin[j]
                               : v[i] * cos[j] + v[i - a.rope.half] * sin[j];
    };
    const float* own_key = a.y + a.heads * dim + kv_head * dim;
    if (tid < dim) {
        q[tid] = rotated(a.y + head * dim, tid) * a.scale;
        if (end == length && begin < end) {
            const Bf16 key = __float2bfloat16(rotated(own_key, tid));
            const std::int64_t at = static_cast<std::int64_t>(n) * width + kv_head * dim + tid;
            static_cast<Bf16*>(a.keys)[at] = key;
            static_cast<Bf16*>(a.values)[at] = __float2bfloat16(own_key[width + tid]);
        }
    }
    __threadfence_block();
    __syncthreads();

    const int lanes = dim / 8, groups = kAttendThreads / lanes, group = tid / lanes, d = tid % lanes * 8;
    float most = -INFINITY, total = 0, sum[8] = {};
    for (int first = begin; first < end; first += kKeysAtOnce) {
        const int count = min(kKeysAtOnce, end - first), half = dim / 2;
        Eight value[kValuesAhead];
#pragma unroll
        for (int i = 0; i < kValuesAhead; ++i)
            if (const int k = group + i * groups; group < groups && k < count)
                value[i] = loadEight(values + static_cast<std::int64_t>(first + k) * width + d);
        float dot = 0;
        if (tid / 2 < count) {
            const Bf16* key = keys + static_cast<std::int64_t>(first + tid / 2) * width + tid % 2 * half;
            const float* own_q = q + tid % 2 * half;
#pragma unroll 8
            for (int c = 0; c < half; c += 8) {
                float v[8];
                widen(loadEight(key + c), v);
#pragma unroll
                for (int i = 0; i < 8; ++i) dot += v[i] * own_q[c + i];
            }
        }
        dot += __shfl_xor_sync(0xffffffffu, dot, 1);
        const float own = tid / 2 < count ? dot : -INFINITY;
        float top = own;
#pragma unroll
        for (int step = 16; step > 0; step >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
        if (tid % 32 == 0) shared[tid / 32] = top;
        __syncthreads();
        for (int w = 0; w < kAttendWarps; ++w) top = fmaxf(top, shared[w]);
        top = fmaxf(top, most);
        if (tid % 2 == 0) score[tid / 2] = __expf(own - top);
        const float rescale = __expf(most - top);
        most = top;
        __syncthreads();
        total *= rescale;
#pragma unroll
        for (int i = 0; i < 8; ++i) sum[i] *= rescale;
#pragma unroll
        for (int i = 0; i < kValuesAhead; ++i) {
            const int k = group + i * groups;
            if (group >= groups || k >= count) continue;
            float v[8];
            widen(value[i], v);
            const float weight = score[k];
            total += weight;  // of this group's keys
#pragma unroll
            for (int e = 0; e < 8; ++e) sum[e] += weight * v[e];
        }
        __syncthreads();
    }
    // Add the groups up.
    if (group < groups) {
#pragma unroll
        for (int i = 0; i < 8; ++i) sums[group * dim + d + i] = sum[i];
        if (d == 0) score[group] = total;
    }
    __syncthreads();
    float* out = a.partial + static_cast<std::int64_t>(head * a.splits + split) * (dim + 2);
    if (tid < dim) {
        float all = 0;
        for (int g = 0; g < groups; ++g) all += sums[g * dim + tid];
        out[2 + tid] = all;
    }
    if (tid == 0) {
        float all = 0;
        for (int g = 0; g < groups; ++g) all += score[g];
        out[0] = most;
        out[1] = all;
    }
}

// Attention's output from its pieces; everything is read before anything is used.
__device__ float joined(const DecodeActivate& a, int column) {
    const int head = column / a.head_dim, c = column - head * a.head_dim, size = a.head_dim + 2;
    const float* first = a.partial + static_cast<std::int64_t>(head) * a.splits * size;
    float most[kMostSplits], weight[kMostSplits], value[kMostSplits], top = -INFINITY;
#pragma unroll
    for (int s = 0; s < kMostSplits; ++s) {
        const bool there = s < a.splits;
        most[s] = there ? first[s * size] : -INFINITY;
        weight[s] = there ? first[s * size + 1] : 0.0f;
        value[s] = there ? first[s * size + 2 + c] : 0.0f;
    }
#pragma unroll
    for (int s = 0; s < kMostSplits; ++s) top = fmaxf(top, most[s]);
    float total = 0, sum = 0;
#pragma unroll
    for (int s = 0; s < kMostSplits; ++s) {
        const float factor = __expf(most[s] - top);
        total += factor * weight[s];
        sum += factor * value[s];
    }
    return sum / total;
}

__global__ void __launch_bounds__(kThreads) activate(const __grid_constant__ DecodeActivate a, int dense_blocks) {
    __shared__ float own[kActColumns];
    letNextStart();
    const bool dense = static_cast<int>(blockIdx.x) < dense_blocks;
    const int q = a.heads * a.head_dim, width = dense ? q : a.intermediate;
    const int column = (dense ? blockIdx.x : blockIdx.x - dense_blocks) * kActColumns;
    const DecodeLora& lora = dense ? a.dense : a.fc2;
    const int lane = threadIdx.x % 32, count = min(kActColumns, width - column);
    // Two rows of A a warp are read ahead: all of them up to r 16.
    constexpr int kAhead = kActColumns / 32;
    float ahead[2][kAhead];
#pragma unroll
    for (int k = 0; k < 2; ++k)
#pragma unroll
        for (int i = 0; i < kAhead; ++i) {
            const int r = static_cast<int>(threadIdx.x / 32) + k * kWarps, c = lane + 32 * i;
            ahead[k][i] = r < lora.r && c < count ? lora.a[static_cast<std::int64_t>(r) * width + column + c] : 0.0f;
        }
    waitForPrevious();
    const int c = column + static_cast<int>(threadIdx.x);
    float v = 0;
    if (c < width) {
        if (dense) {
            v = joined(a, c);
        } else {
            const float x = a.fc1[c];
            v = x / (1.0f + __expf(-1.5957691216057308f * (x + 0.044715f * x * x * x)));
        }
        static_cast<__half*>(a.z)[(dense ? 0 : q) + c] = __float2half(fminf(fmaxf(v, -65504.f), 65504.f));
    }
    own[threadIdx.x] = v;
    __syncthreads();
    for (int r = threadIdx.x / 32; r < lora.r; r += kWarps) {
        const float* from = lora.a + static_cast<std::int64_t>(r) * width + column;
        const int round = r / kWarps;
        float dot = 0;
#pragma unroll
        for (int i = 0; i < kAhead; ++i) {
            const int k = lane + 32 * i;
            if (k < count) dot += (round == 0 ? ahead[0][i] : round == 1 ? ahead[1][i] : from[k]) * own[k];
        }
        dot = warpSum(dot);
        if (lane == 0) a.sums[static_cast<std::int64_t>(blockIdx.x) * a.stride + r] = dot;
    }
}

__global__ void __launch_bounds__(kThreads)
    embedRow(const void* table, Element element, std::int64_t ld, int cols, const int* token, float* x) {
    letNextStart();
    const int c = blockIdx.x * kThreads + threadIdx.x;
    const std::int64_t at = *token * ld + c;
    float v = 0;
    if (c < cols)
        v = element == Element::F16    ? __half2float(static_cast<const __half*>(table)[at])
            : element == Element::BF16 ? __bfloat162float(static_cast<const Bf16*>(table)[at])
                                       : static_cast<const float*>(table)[at];
    waitForPrevious();
    if (c < cols) x[c] = v;
}

}  // namespace

void decodeNorm(Stream stream, const DecodeNorm& norm, const DecodeGroup* group) {
    NormGroup adapted;
    int rows = 0;
    for (int i = 0; group != nullptr && i < group->count; ++i)
        if (group->linear[i].lora.r > 0) {
            adapted.lora[adapted.count++] = group->linear[i].lora;
            rows += group->linear[i].lora.r;
        }
    launchEarly(normRow, dim3(std::max(1u, blocksFor(rows, kNormRows))), kNormThreads, stream, norm, adapted);
}

void decodeAttention(Stream stream, const DecodeAttention& attention) {
    launchEarly(attend, dim3(static_cast<unsigned>(attention.heads), static_cast<unsigned>(attention.splits)),
                kAttendThreads, stream, attention);
}

int decodeActBlocks(int columns) {
    return (columns + kActColumns - 1) / kActColumns;
}

void decodeActivate(Stream stream, const DecodeActivate& a) {
    const int dense = decodeActBlocks(a.heads * a.head_dim);
    launchEarly(activate, dim3(static_cast<unsigned>(dense + decodeActBlocks(a.intermediate))), kThreads, stream, a,
                dense);
}

void decodeEmbed(Stream stream, const Matrix& table, const int* token, float* x) {
    launchEarly(embedRow, dim3(blocksFor(table.cols, kThreads)), kThreads, stream, static_cast<const void*>(table.data),
                table.element, table.ld, static_cast<int>(table.cols), token, x);
}

}  // namespace studio::engine::kernels::gpu
