#include "engine/kernels/decode_cuda.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kPerWarp = kGemvBlocks / kWarps;  // quantisation blocks

// The sixteen NF4 codes as halves, cut into their low and their high bytes: four registers each.
constexpr std::uint16_t kHalfCode[16] = {0xbc00, 0xb992, 0xb833, 0xb652, 0xb48d, 0xb1ea, 0xadd4, 0x0000,
                                         0x2d18, 0x3126, 0x33e0, 0x3568, 0x370d, 0x3880, 0x39c9, 0x3c00};

template <int kShift>
constexpr std::uint32_t plane(int first) {
    std::uint32_t bytes = 0;
    for (int i = 0; i < 4; ++i) bytes |= (kHalfCode[first + i] >> kShift & 255u) << (8 * i);
    return bytes;
}

// Four codes (the low 16 bits of both) to four halves: byte permutations look all four up at once.
__device__ inline void decodeFour(std::uint32_t index, std::uint32_t choose, std::uint32_t& first,
                                  std::uint32_t& second) {
    constexpr std::uint32_t kLow[4] = {plane<0>(0), plane<0>(4), plane<0>(8), plane<0>(12)};
    constexpr std::uint32_t kHigh[4] = {plane<8>(0), plane<8>(4), plane<8>(8), plane<8>(12)};
    const std::uint32_t low = __byte_perm(__byte_perm(kLow[0], kLow[1], index), __byte_perm(kLow[2], kLow[3], index),
                                          choose);
    const std::uint32_t high = __byte_perm(__byte_perm(kHigh[0], kHigh[1], index),
                                           __byte_perm(kHigh[2], kHigh[3], index), choose);
    first = __byte_perm(low, high, 0x4051);  // the first of two codes is in the high half of its byte
    second = __byte_perm(low, high, 0x6273);
}

__device__ inline void multiply(float* sums, std::uint32_t a0, std::uint32_t a1, std::uint32_t a2, std::uint32_t a3,
                                std::uint32_t b0, std::uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// Eight codes of two rows against eight values of x.
__device__ inline void eightColumns(float* sums, std::uint32_t upper, std::uint32_t lower, const uint4& x) {
    const std::uint32_t ui = upper & 0x77777777u, uc = (upper >> 1 & 0x44444444u) | 0x32103210u;
    const std::uint32_t li = lower & 0x77777777u, lc = (lower >> 1 & 0x44444444u) | 0x32103210u;
    std::uint32_t u0, u1, l0, l1;
    decodeFour(ui, uc, u0, u1);
    decodeFour(li, lc, l0, l1);
    multiply(sums, u0, l0, u1, l1, x.x, x.y);
    decodeFour(ui >> 16, uc >> 16, u0, u1);
    decodeFour(li >> 16, lc >> 16, l0, l1);
    multiply(sums, u0, l0, u1, l1, x.z, x.w);
}

struct RawScale {
    float value;             // the scale, or the nested one
    std::uint32_t code = 0;  // of the 8-bit code
};

__device__ inline RawScale readScale(const Nf4View& w, std::int64_t block) {
    if (w.absmax != nullptr) return {__ldcs(w.absmax + block), 0};
    return {__ldg(w.nested_absmax + block / kNestedBlock), __ldcs(w.absmax_codes + block)};
}

__device__ inline float finishScale(const Nf4View& w, const RawScale& raw) {
    if (w.absmax != nullptr) return raw.value;
    return __fadd_rn(__fmul_rn(__ldg(w.nested_code + raw.code), raw.value), w.offset);
}

// Sixteen rows of one linear times one piece of x: 64 columns a quantisation block, kPerWarp blocks a warp. A lane
// holds 16 codes of two rows; their products with x meet in the accumulators of the tensor cores.
__device__ void tile(const DecodeLinear& linear, int tile_row, int first_block, const __half* x, float* out,
                     int out_row, bool with_lora) {
    __shared__ float part[kWarps][kGemvRows];
    __shared__ float u[256];
    const Nf4View& w = linear.weights;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, quarter = lane % 4;
    const int per_row = static_cast<int>(w.cols / kNf4Block);
    const std::int64_t row0 = tile_row + group, row1 = row0 + 8;
    uint2 upper[kPerWarp], lower[kPerWarp];
    RawScale upper_scale[kPerWarp], lower_scale[kPerWarp];
#pragma unroll
    for (int i = 0; i < kPerWarp; ++i) {
        const int block = first_block + warp * kPerWarp + i;
        upper[i] = lower[i] = make_uint2(0, 0);
        if (block >= per_row) continue;
        const std::int64_t at0 = row0 * per_row + block, at1 = row1 * per_row + block;
        upper[i] = __ldcs(reinterpret_cast<const uint2*>(w.codes + at0 * 32) + quarter);
        lower[i] = __ldcs(reinterpret_cast<const uint2*>(w.codes + at1 * 32) + quarter);
        upper_scale[i] = readScale(w, at0);
        lower_scale[i] = readScale(w, at1);
    }
    const DecodeLora& lora = linear.lora;
    const int r = with_lora ? lora.r : 0, lora_row = threadIdx.x / 16, lora_lane = threadIdx.x % 16;
    const float* b = lora.b + static_cast<std::int64_t>(tile_row + lora_row) * lora.r;
    const float first_b = lora_lane < r ? b[lora_lane] : 0.0f;
    waitForPrevious();
    float sum0 = 0, sum1 = 0;
#pragma unroll
    for (int i = 0; i < kPerWarp; ++i) {
        const int local = warp * kPerWarp + i;
        if (first_block + local >= per_row) continue;
        const uint4* values = reinterpret_cast<const uint4*>(x + local * kNf4Block + quarter * 16);
        float sums[4] = {};
        eightColumns(sums, upper[i].x, lower[i].x, __ldcg(values));
        eightColumns(sums, upper[i].y, lower[i].y, __ldcg(values + 1));
        sum0 += sums[0] * finishScale(w, upper_scale[i]);
        sum1 += sums[2] * finishScale(w, lower_scale[i]);
    }
    if (quarter == 0) {
        part[warp][group] = sum0;
        part[warp][group + 8] = sum1;
    }
    float added = 0;
    for (int first = 0; first < r; first += 256) {
        __syncthreads();
        const int i = first + static_cast<int>(threadIdx.x);
        if (i < r) {
            float sum = 0;
            for (int s = 0; s < lora.sums; ++s) sum += lora.u[s * lora.stride + i];
            u[threadIdx.x] = sum;
        }
        __syncthreads();
        const int count = min(256, r - first);
        for (int j = lora_lane; j < count; j += 16) added += (first + j < 16 ? first_b : b[first + j]) * u[j];
    }
#pragma unroll
    for (int step = 8; step > 0; step >>= 1) added += __shfl_xor_sync(0xffffffffu, added, step);
    __syncthreads();
    if (lora_lane == 0) {
        float y = added * lora.scale;
        if (with_lora && linear.bias != nullptr)
            y += __bfloat162float(static_cast<const Bf16*>(linear.bias)[tile_row + lora_row]);
#pragma unroll
        for (int i = 0; i < kWarps; ++i) y += part[i][lora_row];
        out[out_row + lora_row] = y;
    }
}

__global__ void __launch_bounds__(kThreads, 3) stacked(const __grid_constant__ DecodeGroup group, const __half* h,
                                                       float* y) {
    letNextStart();
    const int row = blockIdx.x * kGemvRows;
    int number = 0;
    while (number + 1 < group.count && row >= group.linear[number + 1].row) ++number;
    const DecodeLinear& linear = group.linear[number];
    tile(linear, row - linear.row, 0, h, y, row, true);
}

__global__ void __launch_bounds__(kThreads, 3) sideBySide(const __grid_constant__ DecodeGroup group, const __half* z,
                                                          float* pieces, int rows) {
    letNextStart();
    int piece = blockIdx.y, number = 0;
    while (number + 1 < group.count) {
        const int of_this = static_cast<int>((group.linear[number].weights.cols / kNf4Block + kGemvBlocks - 1) / kGemvBlocks);
        if (piece < of_this) break;
        piece -= of_this;
        ++number;
    }
    const DecodeLinear& linear = group.linear[number];
    const int first_block = piece * kGemvBlocks;
    tile(linear, blockIdx.x * kGemvRows, first_block, z + linear.column + first_block * kNf4Block,
         pieces + static_cast<std::int64_t>(blockIdx.y) * rows, blockIdx.x * kGemvRows, piece == 0);
}

// A warp a row, its values in pieces of eight.
__global__ void __launch_bounds__(kThreads) headRows(const Bf16* head, int rows, int cols, const Bf16* bias,
                                                     const float* h, float* logits) {
    extern __shared__ float hidden[];
    letNextStart();
    waitForPrevious();
    for (int i = threadIdx.x; i < cols; i += kThreads) hidden[i] = h[i];
    __syncthreads();
    const int lane = threadIdx.x % 32;
    for (int row = blockIdx.x * kWarps + threadIdx.x / 32; row < rows; row += gridDim.x * kWarps) {
        const Bf16* weights = head + static_cast<std::int64_t>(row) * cols;
        float sum = 0;
#pragma unroll 10
        for (int c = lane * 8; c < cols; c += 256) {
            const uint4 raw = __ldcs(reinterpret_cast<const uint4*>(weights + c));
            const auto* pairs = reinterpret_cast<const __nv_bfloat162*>(&raw);
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const float2 two = __bfloat1622float2(pairs[i]);
                sum += two.x * hidden[c + 2 * i] + two.y * hidden[c + 2 * i + 1];
            }
        }
        sum = warpSum(sum);
        if (lane == 0) logits[row] = sum + __bfloat162float(bias[row]);
    }
}

}  // namespace

void decodeStacked(Stream stream, const DecodeGroup& group, const void* h, float* y) {
    const DecodeLinear& last = group.linear[group.count - 1];
    const auto tiles = static_cast<unsigned>((last.row + last.weights.rows) / kGemvRows);
    launchEarly(stacked, dim3(tiles), kThreads, stream, group, static_cast<const __half*>(h), y);
}

int decodePieces(const DecodeGroup& group) {
    std::int64_t pieces = 0;
    for (int i = 0; i < group.count; ++i)
        pieces += (group.linear[i].weights.cols / kNf4Block + kGemvBlocks - 1) / kGemvBlocks;
    return static_cast<int>(pieces);
}

void decodeSideBySide(Stream stream, const DecodeGroup& group, const void* z, float* pieces) {
    const int rows = static_cast<int>(group.linear[0].weights.rows);
    launchEarly(sideBySide, dim3(static_cast<unsigned>(rows / kGemvRows), static_cast<unsigned>(decodePieces(group))),
                kThreads, stream, group, static_cast<const __half*>(z), pieces, rows);
}

void decodeHead(Stream stream, const Matrix& head, const void* bias, const float* h, float* logits) {
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(528);  // four blocks on each of 132 multiprocessors; rows go round
    config.blockDim = kThreads;
    config.dynamicSmemBytes = static_cast<std::size_t>(head.cols) * sizeof(float);
    config.stream = queue(stream);
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    config.attrs = &attribute;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, headRows, static_cast<const Bf16*>(bf16(head)), static_cast<int>(head.rows),
                       static_cast<int>(head.cols), static_cast<const Bf16*>(bias), h, logits);
}

}  // namespace studio::engine::kernels::gpu
