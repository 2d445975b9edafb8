#include "engine/kernels/decode_cuda.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / 32;
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

// What a quantisation block's scale is made of: the scale itself, or its code and the nested scale.
template <bool kNested>
struct RawScale {
    float value = 0;
    std::uint32_t code = 0;
    __device__ void read(const Nf4View& w, std::uint32_t block) {
        if constexpr (kNested) {
            code = __ldcs(w.absmax_codes + block);
            value = __ldg(w.nested_absmax + (block >> 8));
        } else {
            value = __ldcs(w.absmax + block);
        }
    }
    __device__ float finish(const float* table, float offset) const {
        if constexpr (kNested) return __fadd_rn(__fmul_rn(__ldg(table + code), value), offset);
        return value;
    }
};
static_assert(kNestedBlock == 256);

// u = Σ of `sums` partial vectors, [r ≤ 256] at a time.
__device__ inline void addUp(const DecodeLora& lora, int first, int count, float* u, float* scratch) {
    const int lane = threadIdx.x % 16, part = threadIdx.x / 16;
    for (int i0 = 0; i0 < count; i0 += 16) {
        float sum = 0;
        if (i0 + lane < count)
            for (int s = part; s < lora.sums; s += kThreads / 16) sum += lora.u[s * lora.stride + first + i0 + lane];
        __syncthreads();
        scratch[threadIdx.x] = sum;
        __syncthreads();
        if (part == 0 && i0 + lane < count) {
            for (int p = 1; p < kThreads / 16; ++p) sum += scratch[p * 16 + lane];
            u[i0 + lane] = sum;
        }
    }
    __syncthreads();
}

// Sixteen rows of one linear times one piece of x: 64 columns a quantisation block, kPerWarp blocks a warp, all read
// before the kernel in front has ended. A lane holds 16 codes of two rows; their products with x meet in the
// accumulators of the tensor cores.
template <bool kNested>
__device__ void tile(const DecodeLinear& linear, int tile_row, int first_block, const __half* x, float* out,
                     bool with_lora) {
    __shared__ float part[kWarps][kGemvRows], u[256], scratch[kThreads];
    const Nf4View& w = linear.weights;
    const std::uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, quarter = lane % 4;
    const auto per_row = static_cast<std::uint32_t>(w.cols / kNf4Block);
    const std::uint32_t begin = static_cast<std::uint32_t>(first_block) + warp * kPerWarp;
    const int count = min(kPerWarp, static_cast<int>(per_row) - static_cast<int>(begin));
    const std::uint32_t at0 = (static_cast<std::uint32_t>(tile_row) + group) * per_row + begin, at1 = at0 + 8 * per_row;
    const uint2* codes0 = reinterpret_cast<const uint2*>(w.codes) + static_cast<std::uint64_t>(at0) * 4 + quarter;
    const uint2* codes1 = codes0 + static_cast<std::uint64_t>(per_row) * 32;
    uint2 upper[kPerWarp], lower[kPerWarp];
    RawScale<kNested> upper_scale[kPerWarp], lower_scale[kPerWarp];
#pragma unroll
    for (int i = 0; i < kPerWarp; ++i) {
        upper[i] = lower[i] = make_uint2(0, 0);
        if (i >= count) continue;
        upper[i] = __ldcs(codes0 + 4 * i);
        lower[i] = __ldcs(codes1 + 4 * i);
        upper_scale[i].read(w, at0 + i);
        lower_scale[i].read(w, at1 + i);
    }
    const DecodeLora& lora = linear.lora;
    const int r = with_lora ? lora.r : 0, lora_row = threadIdx.x / 8, lora_lane = threadIdx.x % 8;
    const float* b = lora.b + static_cast<std::int64_t>(tile_row + lora_row) * lora.r;
    const float b0 = lora_lane < r ? b[lora_lane] : 0.0f, b1 = lora_lane + 8 < r ? b[lora_lane + 8] : 0.0f;
    const float bias = with_lora && linear.bias != nullptr
                           ? __bfloat162float(static_cast<const Bf16*>(linear.bias)[tile_row + lora_row])
                           : 0.0f;
    waitForPrevious();
    const __half* values = x + warp * kPerWarp * kNf4Block + quarter * 16;
    float sum0 = 0, sum1 = 0;
#pragma unroll
    for (int i = 0; i < kPerWarp; ++i) {
        if (i >= count) continue;
        const uint4* eight = reinterpret_cast<const uint4*>(values + i * kNf4Block);
        float sums[4] = {};
        eightColumns(sums, upper[i].x, lower[i].x, __ldcg(eight));
        eightColumns(sums, upper[i].y, lower[i].y, __ldcg(eight + 1));
        sum0 += sums[0] * upper_scale[i].finish(w.nested_code, w.offset);
        sum1 += sums[2] * lower_scale[i].finish(w.nested_code, w.offset);
    }
    if (quarter == 0) {
        part[warp][group] = sum0;
        part[warp][group + 8] = sum1;
    }
    float added = 0;
    if (r > 0 && r <= 16 && lora.sums == 1) {
        if (lora_lane < r) added = b0 * lora.u[lora_lane];
        if (lora_lane + 8 < r) added += b1 * lora.u[lora_lane + 8];
    } else {
        for (int first = 0; first < r; first += 256) {
            const int some = min(256, r - first);
            addUp(lora, first, some, u, scratch);
            for (int j = lora_lane; j < some; j += 8)
                added += (first + j == lora_lane ? b0 : first + j == lora_lane + 8 ? b1 : b[first + j]) * u[j];
        }
    }
#pragma unroll
    for (int step = 4; step > 0; step >>= 1) added += __shfl_xor_sync(0xffffffffu, added, step);
    __syncthreads();
    if (lora_lane == 0) {
        float y = added * lora.scale + bias;
#pragma unroll
        for (int i = 0; i < kWarps; ++i) y += part[i][lora_row];
        out[lora_row] = y;
    }
}

template <bool kNested>
__global__ void __launch_bounds__(kThreads, 4) stacked(const __grid_constant__ DecodeGroup group, const __half* h,
                                                       float* y) {
    letNextStart();
    const int row = blockIdx.x * kGemvRows;
    int number = 0;
    while (number + 1 < group.count && row >= group.linear[number + 1].row) ++number;
    const DecodeLinear& linear = group.linear[number];
    tile<kNested>(linear, row - linear.row, 0, h, y + row, true);
}

template <bool kNested>
__global__ void __launch_bounds__(kThreads, 4) sideBySide(const __grid_constant__ DecodeGroup group, const __half* z,
                                                          float* pieces, int rows) {
    letNextStart();
    int piece = blockIdx.y, number = 0;
    while (number + 1 < group.count) {
        const int of_this =
            static_cast<int>((group.linear[number].weights.cols / kNf4Block + kGemvBlocks - 1) / kGemvBlocks);
        if (piece < of_this) break;
        piece -= of_this;
        ++number;
    }
    const DecodeLinear& linear = group.linear[number];
    const int first_block = piece * kGemvBlocks, row = blockIdx.x * kGemvRows;
    tile<kNested>(linear, row, first_block, z + linear.column + first_block * kNf4Block,
                  pieces + static_cast<std::int64_t>(blockIdx.y) * rows + row, piece == 0);
}

constexpr int kHeadThreads = 256, kHeadWarps = kHeadThreads / 32;

// A warp a row, its values in pieces of eight.
__global__ void __launch_bounds__(kHeadThreads) headRows(const Bf16* head, int rows, int cols, const Bf16* bias,
                                                     const float* h, float* logits) {
    extern __shared__ float hidden[];
    letNextStart();
    waitForPrevious();
    for (int i = threadIdx.x; i < cols; i += kHeadThreads) hidden[i] = h[i];
    __syncthreads();
    const int lane = threadIdx.x % 32;
    for (int row = blockIdx.x * kHeadWarps + threadIdx.x / 32; row < rows; row += gridDim.x * kHeadWarps) {
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

bool nested(const DecodeGroup& group) {
    return group.linear[0].weights.absmax == nullptr;
}

}  // namespace

void decodeStacked(Stream stream, const DecodeGroup& group, const void* h, float* y) {
    const DecodeLinear& last = group.linear[group.count - 1];
    const auto tiles = static_cast<unsigned>((last.row + last.weights.rows) / kGemvRows);
    launchEarly(nested(group) ? stacked<true> : stacked<false>, dim3(tiles), kThreads, stream, group, static_cast<const __half*>(h), y);
}

int decodePieces(const DecodeGroup& group) {
    std::int64_t pieces = 0;
    for (int i = 0; i < group.count; ++i)
        pieces += (group.linear[i].weights.cols / kNf4Block + kGemvBlocks - 1) / kGemvBlocks;
    return static_cast<int>(pieces);
}

void decodeSideBySide(Stream stream, const DecodeGroup& group, const void* z, float* pieces) {
    const int rows = static_cast<int>(group.linear[0].weights.rows);
    launchEarly(nested(group) ? sideBySide<true> : sideBySide<false>,
                dim3(static_cast<unsigned>(rows / kGemvRows), static_cast<unsigned>(decodePieces(group))), kThreads, stream, group, static_cast<const __half*>(z), pieces, rows);
}

void decodeHead(Stream stream, const Matrix& head, const void* bias, const float* h, float* logits) {
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(528);  // four blocks on each of 132 multiprocessors; rows go round
    config.blockDim = kHeadThreads;
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
