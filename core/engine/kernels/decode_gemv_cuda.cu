#include <algorithm>

#include "engine/kernels/decode_cuda.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kPerWarp = kGemvBlocks / kWarps;  // quantisation blocks
constexpr int kResident = 2;                    // blocks of threads on a multiprocessor

// The sixteen NF4 codes as halves.
__constant__ std::uint16_t kHalfCode[16] = {0xbc00, 0xb992, 0xb833, 0xb652, 0xb48d, 0xb1ea, 0xadd4, 0x0000,
                                            0x2d18, 0x3126, 0x33e0, 0x3568, 0x370d, 0x3880, 0x39c9, 0x3c00};

// A byte of two codes to two halves: 256 entries, one copy for each lane in a bank of its own.
struct PairTable {
    std::uint32_t pair[256 * 32];

    __device__ void fill() {
        const std::uint32_t byte = threadIdx.x, lane = threadIdx.x % 32;
        // The first of two codes is in the high half of its byte.
        const std::uint32_t own = kHalfCode[byte >> 4] | static_cast<std::uint32_t>(kHalfCode[byte & 15u]) << 16;
        for (std::uint32_t i = 0; i < 32; ++i)
            pair[(byte - lane + i) * 32 + lane] = __shfl_sync(0xffffffffu, own, static_cast<int>(i));
    }
};
static_assert(kThreads == 256);

// `place`: the lane, and in bits 7 … 14 a byte; both together are an index in bytes.
__device__ inline std::uint32_t look(const PairTable& table, std::uint32_t place) {
    return *reinterpret_cast<const std::uint32_t*>(reinterpret_cast<const char*>(table.pair) + place);
}

__device__ inline void multiply(float* sums, std::uint32_t a0, std::uint32_t a1, std::uint32_t a2, std::uint32_t a3,
                                std::uint32_t b0, std::uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// Eight codes of two rows against eight values of x.
__device__ inline void eightColumns(const PairTable& table, std::uint32_t lane4, float* sums, std::uint32_t upper,
                                    std::uint32_t lower, const uint4& x) {
    constexpr std::uint32_t kByte = 0x7f80u;
    multiply(sums, look(table, (upper << 7 & kByte) | lane4), look(table, (lower << 7 & kByte) | lane4),
             look(table, (upper >> 1 & kByte) | lane4), look(table, (lower >> 1 & kByte) | lane4), x.x, x.y);
    multiply(sums, look(table, (upper >> 9 & kByte) | lane4), look(table, (lower >> 9 & kByte) | lane4),
             look(table, (upper >> 17 & kByte) | lane4), look(table, (lower >> 17 & kByte) | lane4), x.z, x.w);
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
    __device__ float finish(const Nf4View& w) const {
        if constexpr (kNested) return __fadd_rn(__fmul_rn(__ldg(w.nested_code + code), value), w.offset);
        return value;
    }
};
static_assert(kNestedBlock == 256);

// Sixteen rows of one linear times one piece of x.
struct Unit {
    int linear = 0, row = 0, first_block = 0, x_begin = 0;
    std::int64_t out = 0;
    bool whole = false;  // carries bias and LoRA
};

template <bool kStacked>
__device__ Unit unitOf(const DecodeGroup& group, int number, int tiles, int rows) {
    Unit unit;
    if constexpr (kStacked) {
        const int row = number * kGemvRows;
        while (unit.linear + 1 < group.count && row >= group.linear[unit.linear + 1].row) ++unit.linear;
        unit.row = row - group.linear[unit.linear].row;
        unit.out = row;
        unit.whole = true;
    } else {
        int piece = number / tiles;
        unit.row = (number - piece * tiles) * kGemvRows;
        unit.out = static_cast<std::int64_t>(piece) * rows + unit.row;
        for (; unit.linear + 1 < group.count; ++unit.linear) {
            const int of_this = (static_cast<int>(group.linear[unit.linear].weights.cols) / kNf4Block + kGemvBlocks - 1) /
                                kGemvBlocks;
            if (piece < of_this) break;
            piece -= of_this;
        }
        unit.first_block = piece * kGemvBlocks;
        unit.x_begin = group.linear[unit.linear].column + unit.first_block * kNf4Block;
        unit.whole = piece == 0;
    }
    return unit;
}

// A lane's codes of two rows in kPerWarp quantisation blocks, with their scales.
template <bool kNested>
struct Weights {
    uint2 upper[kPerWarp], lower[kPerWarp];
    RawScale<kNested> upper_scale[kPerWarp], lower_scale[kPerWarp];
    float b = 0;  // of LoRA: row threadIdx / 16, column threadIdx % 16
    int count = 0;

    __device__ void read(const DecodeLinear& linear, const Unit& unit) {
        const Nf4View& w = linear.weights;
        const std::uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, quarter = lane % 4;
        const auto per_row = static_cast<std::uint32_t>(w.cols / kNf4Block);
        const std::uint32_t begin = static_cast<std::uint32_t>(unit.first_block) + warp * kPerWarp;
        count = static_cast<int>(per_row) - static_cast<int>(begin);
        const std::uint32_t at0 = (static_cast<std::uint32_t>(unit.row) + group) * per_row + begin,
                            at1 = at0 + 8 * per_row;
        const uint2* codes0 = reinterpret_cast<const uint2*>(w.codes) + static_cast<std::uint64_t>(at0) * 4 + quarter;
        const uint2* codes1 = codes0 + static_cast<std::uint64_t>(per_row) * 32;
#pragma unroll
        for (int i = 0; i < kPerWarp; ++i) {
            upper[i] = lower[i] = make_uint2(0, 0);
            if (i >= count) continue;
            upper[i] = __ldcs(codes0 + 4 * i);
            lower[i] = __ldcs(codes1 + 4 * i);
            upper_scale[i].read(w, at0 + i);
            lower_scale[i].read(w, at1 + i);
        }
        const int r = linear.lora.r, column = threadIdx.x % 16;
        b = unit.whole && column < r
                ? linear.lora.b[static_cast<std::int64_t>(unit.row + threadIdx.x / 16) * r + column]
                : 0.0f;
    }
};

// u of every linear, one after the other: Σ of the partial vectors.
__device__ inline void addUp(const DecodeGroup& group, float* u, float* scratch) {
    const int lane = threadIdx.x % 16, part = threadIdx.x / 16;
    for (int l = 0; l < group.count; ++l) {
        const DecodeLora& lora = group.linear[l].lora;
        for (int first = 0; first < lora.r; first += 16) {
            float sum = 0;
            if (first + lane < lora.r)
                for (int s = part; s < lora.sums; s += kThreads / 16) sum += __ldcg(lora.u + s * lora.stride + first + lane);
            scratch[threadIdx.x] = sum;
            __syncthreads();
            if (part == 0 && first + lane < lora.r) {
                const int used = min(lora.sums, kThreads / 16);
                for (int p = 1; p < used; ++p) sum += scratch[p * 16 + lane];
                u[first + lane] = sum;
            }
            __syncthreads();
        }
        u += lora.r;
    }
}

// Blocks of threads stay and take one unit after the other; the weights of the next are on their way while the present
// one is computed, and those of the first before the kernel in front has ended. A lane's products with x meet in the
// accumulators of the tensor cores.
template <bool kNested, bool kStacked>
__global__ void __launch_bounds__(kThreads, kResident)
    gemv(const __grid_constant__ DecodeGroup group, const __half* x, float* out, int units, int tiles, int rows) {
    __shared__ PairTable table;
    __shared__ float part[2][kWarps][kGemvRows], u[kDecodeMostRank], scratch[kThreads];
    letNextStart();
    int number = blockIdx.x;
    Unit unit = unitOf<kStacked>(group, number, tiles, rows);
    Weights<kNested> next;
    next.read(group.linear[unit.linear], unit);
    table.fill();
    __syncthreads();
    waitForPrevious();
    addUp(group, u, scratch);
    const std::uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, lane4 = lane * 4;
    for (int buffer = 0; number < units; buffer ^= 1) {
        const Weights<kNested> own = next;
        const Unit present = unit;
        const DecodeLinear& linear = group.linear[present.linear];
        number += gridDim.x;
        if (number < units) {
            unit = unitOf<kStacked>(group, number, tiles, rows);
            next.read(group.linear[unit.linear], unit);
        }
        const __half* values = x + present.x_begin + warp * kPerWarp * kNf4Block + lane % 4 * 16;
        float sum0 = 0, sum1 = 0;
#pragma unroll
        for (int i = 0; i < kPerWarp; ++i) {
            if (i >= own.count) continue;
            const uint4* eight = reinterpret_cast<const uint4*>(values + i * kNf4Block);
            float sums[4] = {};
            eightColumns(table, lane4, sums, own.upper[i].x, own.lower[i].x, __ldcg(eight));
            eightColumns(table, lane4, sums, own.upper[i].y, own.lower[i].y, __ldcg(eight + 1));
            sum0 += sums[0] * own.upper_scale[i].finish(linear.weights);
            sum1 += sums[2] * own.lower_scale[i].finish(linear.weights);
        }
        if (lane % 4 == 0) {
            part[buffer][warp][lane / 4] = sum0;
            part[buffer][warp][lane / 4 + 8] = sum1;
        }
        __syncthreads();  // the other buffer is written next, so that one barrier a unit is enough
        const int row = threadIdx.x / 16, column = threadIdx.x % 16, r = present.whole ? linear.lora.r : 0;
        int u_begin = 0;
        for (int l = 0; l < present.linear; ++l) u_begin += group.linear[l].lora.r;
        float y = column < r ? own.b * u[u_begin + column] : 0.0f;
        for (int j = column + 16; j < r; j += 16)
            y += linear.lora.b[static_cast<std::int64_t>(present.row + row) * r + j] * u[u_begin + j];
        y *= linear.lora.scale;
        if (column < kWarps) y += part[buffer][column][row];
        if (column == kWarps && present.whole && linear.bias != nullptr)
            y += __bfloat162float(static_cast<const Bf16*>(linear.bias)[present.row + row]);
#pragma unroll
        for (int step = 8; step > 0; step >>= 1) y += __shfl_xor_sync(0xffffffffu, y, step);
        if (column == 0) out[present.out + row] = y;
    }
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

// As many blocks of threads as stay at once.
dim3 gridFor(int units) {
    int card = 0, multiprocessors = 1;
    cudaGetDevice(&card);
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, card);
    return dim3(static_cast<unsigned>(std::min(units, multiprocessors * kResident)));
}

bool nested(const DecodeGroup& group) {
    return group.linear[0].weights.absmax == nullptr;
}

}  // namespace

void decodeStacked(Stream stream, const DecodeGroup& group, const void* h, float* y) {
    const DecodeLinear& last = group.linear[group.count - 1];
    const int tiles = static_cast<int>((last.row + last.weights.rows) / kGemvRows);
    launchEarly(nested(group) ? gemv<true, true> : gemv<false, true>, gridFor(tiles), kThreads, stream, group,
                static_cast<const __half*>(h), y, tiles, tiles, 0);
}

int decodePieces(const DecodeGroup& group) {
    std::int64_t pieces = 0;
    for (int i = 0; i < group.count; ++i)
        pieces += (group.linear[i].weights.cols / kNf4Block + kGemvBlocks - 1) / kGemvBlocks;
    return static_cast<int>(pieces);
}

void decodeSideBySide(Stream stream, const DecodeGroup& group, const void* z, float* pieces) {
    const int rows = static_cast<int>(group.linear[0].weights.rows), tiles = rows / kGemvRows;
    const int units = tiles * decodePieces(group);
    launchEarly(nested(group) ? gemv<true, false> : gemv<false, false>, gridFor(units), kThreads, stream, group,
                static_cast<const __half*>(z), pieces, units, tiles, rows);
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
