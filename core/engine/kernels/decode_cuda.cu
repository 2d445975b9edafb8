#include "engine/kernels/decode_cuda.h"

#include <algorithm>

#include "engine/kernels/decode_cuda.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kMiddleThreads = 128, kMiddleWarps = kMiddleThreads / 32;
constexpr int kWidestHead = 128;
constexpr int kKeysAtOnce = kMiddleThreads / 2;  // two threads a key
constexpr int kMostSplits = kDecodeMostSplits;

struct NormGroup {
    DecodeLora lora[4];
    int count = 0;
};

// The nearest half; what is not a number stays so.
__device__ inline __half halfOf(float x) {
    return __float2half(x != x ? x : fminf(fmaxf(x, -65504.f), 65504.f));
}

constexpr int kNormThreads = kDecodeMostHidden / 4, kNormRows = 4;

// Every block of threads adds up and normalises the row, four values a thread; the first one writes it, each has four
// rows of A, which it reads before the kernel in front has ended.
__global__ void __maxnreg__(40) normRow(const __grid_constant__ DecodeNorm n, const __grid_constant__ NormGroup group) {
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
    float4 weight = make_float4(0, 0, 0, 0), bias = weight, v = weight, piece[kGemvParts];
    if (inside) {
        weight = *reinterpret_cast<const float4*>(n.weight + c);
        bias = *reinterpret_cast<const float4*>(n.bias + c);
        prefetch(n.x + c, sizeof(float4));  // a layer old: weights have driven it out
    }
    waitForPrevious();
    if (inside) {
        v = *reinterpret_cast<const float4*>(n.x + c);
#pragma unroll
        for (int p = 0; p < kGemvParts; ++p)
            piece[p] = n.pieces != nullptr ? *reinterpret_cast<const float4*>(n.pieces + p * n.hidden + c)
                                           : make_float4(0, 0, 0, 0);
#pragma unroll
        for (int p = 0; p < kGemvParts; ++p)
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
            __half2* halves = reinterpret_cast<__half2*>(static_cast<__half*>(n.h_half) + c);
            halves[0] = __halves2half2(halfOf(h.x), halfOf(h.y));
            halves[1] = __halves2half2(halfOf(h.z), halfOf(h.w));
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

// A[:, column …]·z of up to kActColumns columns, a row a warp, four values a lane. What there is of A in the first
// rounds is read ahead: all of it up to r 16. Code is kept short: it runs once a layer, and fetching it costs more than
// running it.
struct DownProduct {
    static constexpr int kAhead = 16 / kMiddleWarps;
    const DecodeLora& lora;
    std::int64_t width;
    int column, warp = threadIdx.x / 32, at = threadIdx.x % 32 * 4;
    bool inside;
    float4 ahead[kAhead];

    __device__ DownProduct(const DecodeLora& of, std::int64_t columns, int first, int count)
        : lora(of), width(columns), column(first), inside(at < count) {
#pragma unroll
        for (int k = 0; k < kAhead; ++k) ahead[k] = row(warp + k * kMiddleWarps);
    }
    __device__ float4 row(int r) const {
        return r < lora.r && inside ? *reinterpret_cast<const float4*>(lora.a + r * width + column + at)
                                    : make_float4(0, 0, 0, 0);
    }
    __device__ void run(const float* z, float* out) const {
        const float4 v = inside ? *reinterpret_cast<const float4*>(z + at) : make_float4(0, 0, 0, 0);
        const auto finish = [&](int r, const float4& a) {
            const float dot = warpSum(a.x * v.x + a.y * v.y + a.z * v.z + a.w * v.w);
            if (at == 0 && r < lora.r) out[r] = dot;
        };
#pragma unroll
        for (int k = 0; k < kAhead; ++k) finish(warp + k * kMiddleWarps, ahead[k]);
#pragma unroll 1
        for (int r = warp + kAhead * kMiddleWarps; r < lora.r; r += kMiddleWarps) finish(r, row(r));
    }
};
static_assert(kActColumns <= 128 && kWidestHead <= 128);

struct MiddleShared {
    alignas(16) float q[kWidestHead], score[kKeysAtOnce], sums[kMiddleThreads * 8], warps[kMiddleWarps];
    int last;
};
static_assert(kMiddleThreads == kActColumns && kMiddleThreads >= kWidestHead);

// gelu of kActColumns columns.
__device__ void activate(const DecodeMiddle& m, int block, float* own) {
    const int column = block * kActColumns, count = min(kActColumns, m.intermediate - column);
    const int q = m.heads * m.head_dim, c = static_cast<int>(threadIdx.x);
    const DownProduct down(m.fc2, m.intermediate, column, count);
    waitForPrevious();
    float v = 0;
    if (c < count) {
        const float* fc1 = m.y + m.y_columns - m.intermediate + column + c;
        const float x = fc1[0] + fc1[m.y_columns];
        v = x / (1.0f + __expf(-1.5957691216057308f * (x + 0.044715f * x * x * x)));
        static_cast<__half*>(m.z)[q + column + c] = halfOf(v);
    }
    own[c] = v;
    __syncthreads();
    down.run(own, m.sums + static_cast<std::int64_t>(m.heads + block) * m.stride);
}

// One head and one piece of the sequence. Scores: two threads a key. Values: groups of head_dim / 8 threads, a key
// each. The result, not yet divided by its total, goes to `partial` behind its maximum and total.
template <int kDim>
__device__ void attendPiece(const DecodeMiddle& a, int head, int split, MiddleShared& s) {
    constexpr int dim = kDim, half = kDim / 2;
    const int kv_head = head / (a.heads / a.kv_heads);
    const int n = *a.position, length = n + 1, per = (length + a.splits - 1) / a.splits;
    const int begin = split * per, end = min(length, begin + per), width = a.kv_heads * dim;
    const int tid = static_cast<int>(threadIdx.x);
    const Bf16* keys = static_cast<const Bf16*>(a.keys) + kv_head * dim;
    const Bf16* values = static_cast<const Bf16*>(a.values) + kv_head * dim;
    // What does not depend on this token: earlier rows of the cache, and A for whoever joins the pieces.
#pragma unroll 1
    for (int i = tid; i < 2 * (end - begin); i += kMiddleThreads)
        prefetch((i % 2 == 0 ? keys : values) + static_cast<std::int64_t>(begin + i / 2) * width,
                 dim * static_cast<int>(sizeof(Bf16)));
    if (split == 0)
#pragma unroll 1
        for (int r = tid; r < a.dense.r; r += kMiddleThreads)
            prefetch(a.dense.a + static_cast<std::int64_t>(r) * a.heads * dim + head * dim,
                     dim * static_cast<int>(sizeof(float)));
    const float* cos = a.rope.cos + static_cast<std::int64_t>(n) * a.rope.half;
    const float* sin = a.rope.sin + static_cast<std::int64_t>(n) * a.rope.half;
    float own_cos = 1, own_sin = 0;
    int other = 0;
    if (tid < 2 * a.rope.half) {
        own_cos = cos[tid % a.rope.half];
        own_sin = tid < a.rope.half ? -sin[tid] : sin[tid - a.rope.half];
        other = tid < a.rope.half ? a.rope.half : -a.rope.half;
    }
    waitForPrevious();
    static_assert(kGemvParts == 2);
    const auto whole = [&](const float* v) { return v[0] + v[a.y_columns]; };
    const auto rotated = [&](const float* v) { return whole(v + tid) * own_cos + whole(v + tid + other) * own_sin; };
    const float* own_key = a.y + a.heads * dim + kv_head * dim;
    if (tid < dim) {
        s.q[tid] = rotated(a.y + head * dim) * a.scale;
        if (end == length && begin < end) {
            const std::int64_t at = static_cast<std::int64_t>(n) * width + kv_head * dim + tid;
            static_cast<Bf16*>(a.keys)[at] = __float2bfloat16(rotated(own_key));
            static_cast<Bf16*>(a.values)[at] = __float2bfloat16(whole(own_key + width + tid));
        }
    }
    __threadfence_block();
    __syncthreads();

    constexpr int kLanes = kDim / 8, kGroups = kMiddleThreads / kLanes;
    constexpr int kRounds = (kKeysAtOnce + kGroups - 1) / kGroups;
    const int group = tid / kLanes, d = tid % kLanes * 8;
    float most = -INFINITY, total = 0, sum[8] = {};
#pragma unroll 1
    for (int first = begin; first < end; first += kKeysAtOnce) {
        // All reads at once: while weights stream, each round to the cache and back takes microseconds.
        const int count = min(kKeysAtOnce, end - first);
        const Bf16* key = keys + static_cast<std::int64_t>(first + min(tid / 2, count - 1)) * width + tid % 2 * half;
        Eight own_key_values[kDim / 16], value[kRounds];
#pragma unroll
        for (int c = 0; c < kDim / 16; ++c) own_key_values[c] = loadEight(key + c * 8);
#pragma unroll
        for (int i = 0; i < kRounds; ++i)
            value[i] =
                loadEight(values + static_cast<std::int64_t>(first + min(group + i * kGroups, count - 1)) * width + d);
        const float* own_q = s.q + tid % 2 * half;
        float dot = 0;
#pragma unroll
        for (int c = 0; c < kDim / 16; ++c) {
            float v[8];
            widen(own_key_values[c], v);
#pragma unroll
            for (int i = 0; i < 8; ++i) dot += v[i] * own_q[c * 8 + i];
        }
        dot += __shfl_xor_sync(0xffffffffu, dot, 1);
        const float own = tid / 2 < count ? dot : -INFINITY;
        float top = own;
#pragma unroll
        for (int step = 16; step > 0; step >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
        if (tid % 32 == 0) s.warps[tid / 32] = top;
        __syncthreads();
        static_assert(kMiddleWarps == 4);
        top = fmaxf(fmaxf(fmaxf(s.warps[0], s.warps[1]), fmaxf(s.warps[2], s.warps[3])), most);
        if (tid % 2 == 0) s.score[tid / 2] = __expf(own - top);  // 0 behind the last
        const float rescale = __expf(most - top);
        most = top;
        __syncthreads();
        total *= rescale;
#pragma unroll
        for (int i = 0; i < 8; ++i) sum[i] *= rescale;
#pragma unroll
        for (int i = 0; i < kRounds; ++i) {
            const int k = group + i * kGroups;
            const float weight = group < kGroups && k < kKeysAtOnce ? s.score[k] : 0.0f;
            float v[8];
            widen(value[i], v);
            total += weight;  // of this group's keys
#pragma unroll
            for (int e = 0; e < 8; ++e) sum[e] += weight * v[e];
        }
        __syncthreads();
    }
    // Add the groups up.
    if (group < kGroups) {
#pragma unroll
        for (int i = 0; i < 8; ++i) s.sums[group * dim + d + i] = sum[i];
        if (d == 0) s.score[group] = total;
    }
    __syncthreads();
    float* out = a.partial + static_cast<std::int64_t>(head * a.splits + split) * (dim + 2);
    if (tid < dim) {
        float all = 0;
        for (int g = 0; g < kGroups; ++g) all += s.sums[g * dim + tid];
        __stcg(out + 2 + tid, all);
    }
    if (tid == 0) {
        float all = 0;
        for (int g = 0; g < kGroups; ++g) all += s.score[g];
        __stcg(out, most);
        __stcg(out + 1, all);
    }
}

// Attention's output of one head from its pieces, in their order whoever came last.
__device__ void joinPieces(const DecodeMiddle& m, int head, MiddleShared& s) {
    const int dim = m.head_dim, size = dim + 2, tid = static_cast<int>(threadIdx.x);
    const float* first = m.partial + static_cast<std::int64_t>(head) * m.splits * size;
    float value[kMostSplits];
#pragma unroll
    for (int i = 0; i < kMostSplits; ++i)
        value[i] = __ldcg(first + min(i, m.splits - 1) * size + 2 + min(tid, dim - 1));
    const float most = tid < m.splits ? __ldcg(first + tid * size) : -INFINITY;
    const float weight = tid < m.splits ? __ldcg(first + tid * size + 1) : 0.0f;
    const DownProduct down(m.dense, m.heads * dim, head * dim, dim);
    if (tid < 32) {
        float top = most;
#pragma unroll
        for (int step = 16; step > 0; step >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
        const float factor = __expf(most - top), total = warpSum(factor * weight);
        if (tid < kMostSplits) s.score[tid] = factor / total;
    }
    __syncthreads();
    float v = 0;
#pragma unroll
    for (int i = 0; i < kMostSplits; ++i) v += s.score[i] * value[i];  // 0 behind the last
    if (tid < dim) static_cast<__half*>(m.z)[head * dim + tid] = halfOf(v);
    s.q[tid] = v;
    __syncthreads();
    down.run(s.q, m.sums + static_cast<std::int64_t>(head) * m.stride);
}
static_assert(kMostSplits <= 32);

template <int kDim>
__global__ void __launch_bounds__(kMiddleThreads, 6) middle(const __grid_constant__ DecodeMiddle m) {
    __shared__ MiddleShared s;
    letNextStart();
    const int pieces = m.heads * m.splits, block = static_cast<int>(blockIdx.x);
    if (block >= pieces) return activate(m, block - pieces, s.sums);
    const int head = block % m.heads;
    attendPiece<kDim>(m, head, block / m.heads, s);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        s.last = atomicAdd(m.arrived + head, 1) == m.splits - 1;
        if (s.last) m.arrived[head] = 0;
    }
    __syncthreads();
    if (!s.last) return;
    __threadfence();
    joinPieces(m, head, s);
}

__global__ void __launch_bounds__(kThreads) embedRow(const void* table, Element element, std::int64_t ld, int cols,
                                                     const volatile int* asked, int* position, float* x) {
    letNextStart();
    waitForPrevious();  // it may have drawn the token
    const int c = blockIdx.x * kThreads + threadIdx.x;
    const std::int64_t at = asked[0] * ld + c;
    float v = 0;
    if (c < cols)
        v = element == Element::F16    ? __half2float(static_cast<const __half*>(table)[at])
            : element == Element::BF16 ? __bfloat162float(static_cast<const Bf16*>(table)[at])
                                       : static_cast<const float*>(table)[at];
    if (c < cols) x[c] = v;
    if (c == 0) *position = asked[1];
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
    launchEarly(normRow, dim3(std::max(1u, blocksFor(rows, kNormRows))), kNormThreads, 0, stream, norm, adapted);
}

int decodeActBlocks(int columns) {
    return (columns + kActColumns - 1) / kActColumns;
}

namespace {

// Calls use() with the kernel for heads of this size; false where there is none.
template <class Use>
bool withMiddle(int head_dim, const Use& use) {
    const auto is = [&](int dim, auto kernel) { return head_dim == dim && (use(kernel), true); };
    return is(16, middle<16>) || is(32, middle<32>) || is(64, middle<64>) || is(80, middle<80>) || is(96, middle<96>) ||
           is(128, middle<128>);
}

}  // namespace

bool decodeTakesHeads(int head_dim) {
    return withMiddle(head_dim, [](auto) {});
}

void decodeMiddle(Stream stream, const DecodeMiddle& m) {
    const int blocks = m.heads * m.splits + decodeActBlocks(m.intermediate);
    withMiddle(m.head_dim, [&](auto kernel) {
        launchEarly(kernel, dim3(static_cast<unsigned>(blocks)), kMiddleThreads, 0, stream, m);
    });
}

void decodeEmbed(Stream stream, const Matrix& table, const int* asked, int* position, float* x) {
    launchEarly(embedRow, dim3(blocksFor(table.cols, kThreads)), kThreads, 0, stream,
                static_cast<const void*>(table.data), table.element, table.ld, static_cast<int>(table.cols),
                static_cast<const volatile int*>(asked), position, x);
}

}  // namespace studio::engine::kernels::gpu
