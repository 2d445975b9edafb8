#include "engine/kernels/nf4_cuda.h"

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;

// kNf4Code where the device reads it fastest.
__constant__ float kCode[16] = {kNf4Code[0],  kNf4Code[1],  kNf4Code[2],  kNf4Code[3], kNf4Code[4],  kNf4Code[5],
                                kNf4Code[6],  kNf4Code[7],  kNf4Code[8],  kNf4Code[9], kNf4Code[10], kNf4Code[11],
                                kNf4Code[12], kNf4Code[13], kNf4Code[14], kNf4Code[15]};

__device__ float scaleOf(const Nf4View& w, std::int64_t block) {
    if (w.absmax != nullptr) return w.absmax[block];
    // Two roundings, as on the CPU and in bitsandbytes.
    return __fadd_rn(__fmul_rn(w.nested_code[w.absmax_codes[block]], w.nested_absmax[block / kNestedBlock]), w.offset);
}

// A thread expands eight weights, which lie in one block because a row is a multiple of eight.
__global__ void __launch_bounds__(kThreads)
    expand(Nf4View w, std::uint32_t first, Bf16* out, std::int64_t ld, std::uint32_t per_row, std::uint32_t count) {
    __shared__ float code[16];
    if (threadIdx.x < 16) code[threadIdx.x] = kCode[threadIdx.x];
    __syncthreads();
    const std::uint32_t i = blockIdx.x * kThreads + threadIdx.x;
    if (i >= count) return;
    const std::uint32_t row = i / per_row, eight = i - row * per_row;
    const std::uint32_t from = first + row * static_cast<std::uint32_t>(w.cols / 8) + eight;
    const float scale = scaleOf(w, static_cast<std::int64_t>(from) * 8 / kNf4Block);
    const std::uint32_t four = reinterpret_cast<const std::uint32_t*>(w.codes)[from];
    Eight e;
#pragma unroll
    for (int b = 0; b < 4; ++b) {
        const std::uint32_t byte = four >> (8 * b) & 255u;
        e.v[2 * b] = __float2bfloat16(__fmul_rn(code[byte >> 4], scale));
        e.v[2 * b + 1] = __float2bfloat16(__fmul_rn(code[byte & 15u], scale));
    }
    storeEight(out + static_cast<std::int64_t>(row) * ld + eight * 8, e);
}

__device__ float at(const void* data, Element element, std::int64_t i) {
    switch (element) {
        case Element::F16:
            return __half2float(static_cast<const __half*>(data)[i]);
        case Element::BF16:
            return __bfloat162float(static_cast<const Bf16*>(data)[i]);
        default:
            return static_cast<const float*>(data)[i];
    }
}

__device__ int nearest(float x) {
    int below = 0;
#pragma unroll
    for (int m = 0; m < 15; ++m) below += x > (kCode[m] + kCode[m + 1]) / 2.0f ? 1 : 0;
    return below;
}

// A warp a block of 64: a lane has two neighbours, which share a byte.
__global__ void __launch_bounds__(kThreads)
    quantise(const void* values, Element element, std::int64_t count, std::uint8_t* codes, float* absmax, int* bad) {
    const std::int64_t block = (blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x) / 32;
    const int lane = threadIdx.x % 32;
    const std::int64_t first = block * kNf4Block + 2 * lane;
    if (block * kNf4Block >= count) return;
    const bool whole = (block + 1) * kNf4Block <= count;
    float a = first < count ? at(values, element, first) : 0.0f;
    float b = first + 1 < count ? at(values, element, first + 1) : 0.0f;
    if (!isfinite(a) || !isfinite(b)) {
        *bad = 1;
        a = b = 0;
    }
    float most = fmaxf(fabsf(a), fabsf(b));
    for (int step = 16; step > 0; step >>= 1) most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, step));
    const float divisor = fmaxf(most, 1e-38f);
    if (lane == 0) absmax[block] = whole ? most : divisor;
    if (whole) {
        const float inverse = __fdiv_rn(1.0f, divisor);
        a = __fmul_rn(a, inverse);
        b = __fmul_rn(b, inverse);
    } else {
        a = __fdiv_rn(a, divisor);
        b = __fdiv_rn(b, divisor);
    }
    const int high = nearest(fminf(fmaxf(a, -1.0f), 1.0f)), low = nearest(fminf(fmaxf(b, -1.0f), 1.0f));
    if (first < count) codes[first / 2] = static_cast<std::uint8_t>(high << 4 | low);
}

__global__ void __launch_bounds__(kThreads)
    toBf16(const void* values, Element element, std::int64_t in_ld, std::int64_t cols, std::int64_t count, Bf16* out,
           std::int64_t ld, int* bad) {
    const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(kThreads) + threadIdx.x;
    if (i >= count) return;
    const std::int64_t row = i / cols, col = i - row * cols;
    const float x = at(values, element, row * in_ld + col);
    if (!isfinite(x)) *bad = 1;
    out[row * ld + col] = __float2bfloat16(x);
}

}  // namespace

void expandNf4(Stream stream, const Nf4View& weights, std::int64_t row, std::int64_t column, const Matrix& out) {
    const auto count = static_cast<std::uint32_t>(out.rows * out.cols / 8);
    const auto first = static_cast<std::uint32_t>((row * weights.cols + column) / 8);
    expand<<<blocksFor(count, kThreads), kThreads, 0, queue(stream)>>>(weights, first, bf16(out), out.ld,
                                                                       static_cast<std::uint32_t>(out.cols / 8), count);
}

void quantiseNf4(Stream stream, const Matrix& values, std::uint8_t* codes, float* absmax, int* bad) {
    const std::int64_t count = values.rows * values.cols, blocks = (count + kNf4Block - 1) / kNf4Block;
    quantise<<<blocksFor(blocks * 32, kThreads), kThreads, 0, queue(stream)>>>(values.data, values.element, count,
                                                                               codes, absmax, bad);
}

void convert(Stream stream, const Matrix& values, const Matrix& out, int* bad) {
    const std::int64_t count = values.rows * values.cols;
    if (count == 0) return;
    toBf16<<<blocksFor(count, kThreads), kThreads, 0, queue(stream)>>>(values.data, values.element, values.ld,
                                                                       values.cols, count, bf16(out), out.ld, bad);
}

}  // namespace studio::engine::kernels::gpu
