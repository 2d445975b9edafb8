#include <algorithm>

#include "engine/kernels/decode_cuda.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
constexpr int kPerWarp = kGemvBlocks / kWarps;  // quantisation blocks
constexpr int kResident = 3;                    // blocks of threads on a multiprocessor

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
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
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

// Tiles [tile, end) of sixteen rows of one linear times one piece of x.
struct Segment {
    int linear = 0, piece = 0, row = 0, tiles = 0;  // first row in the linear; piece of its columns
    std::int64_t out = 0;                           // of the first row
};

// The segment that unit `number` begins, and how many units from there on are in it.
template <bool kStacked>
__device__ Segment segmentAt(const DecodeGroup& group, int number, int end, int tiles, int rows) {
    Segment segment;
    if constexpr (kStacked) {
        const int row = number * kGemvRows;
        while (segment.linear + 1 < group.count && row >= group.linear[segment.linear + 1].row) ++segment.linear;
        const DecodeLinear& linear = group.linear[segment.linear];
        segment.row = row - linear.row;
        segment.tiles = min(end - number, (static_cast<int>(linear.weights.rows) - segment.row) / kGemvRows);
        segment.out = row;
    } else {
        int piece = number / tiles;
        const int tile = number - piece * tiles;
        segment.row = tile * kGemvRows;
        segment.tiles = min(end - number, tiles - tile);
        segment.out = static_cast<std::int64_t>(piece) * rows + segment.row;
        for (; segment.linear + 1 < group.count; ++segment.linear) {
            const int of_this =
                (static_cast<int>(group.linear[segment.linear].weights.cols) / kNf4Block + kGemvBlocks - 1) /
                kGemvBlocks;
            if (piece < of_this) break;
            piece -= of_this;
        }
        segment.piece = piece;
    }
    return segment;
}

// A lane's codes of two rows in kPerWarp quantisation blocks, and what their scales are made of: the scales, or their
// codes and the nested scales of the first and the last.
template <bool kNested>
struct Weights {
    uint2 upper[kPerWarp], lower[kPerWarp];
    std::uint32_t upper_scale[kPerWarp], lower_scale[kPerWarp];
    float upper_nested[2], lower_nested[2];
};

// Where a lane reads, advanced tile by tile.
template <bool kNested, bool kWhole>
struct Reader {
    const uint2 *codes0, *codes1;
    const std::uint8_t *scale0, *scale1;  // codes, or floats
    const float* nested;
    std::uint32_t at0, at1, per_row;
    int count;

    __device__ Reader(const Nf4View& w, const Segment& segment) {
        const std::uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        per_row = static_cast<std::uint32_t>(w.cols / kNf4Block);
        const std::uint32_t begin = segment.piece * kGemvBlocks + warp * kPerWarp;
        count = static_cast<int>(per_row) - static_cast<int>(begin);
        at0 = (segment.row + lane / 4) * per_row + begin;
        at1 = at0 + 8 * per_row;
        codes0 = reinterpret_cast<const uint2*>(w.codes) + static_cast<std::uint64_t>(at0) * 4 + lane % 4;
        codes1 = codes0 + static_cast<std::uint64_t>(per_row) * 32;
        const std::uint8_t* scales = kNested ? w.absmax_codes : reinterpret_cast<const std::uint8_t*>(w.absmax);
        constexpr std::uint32_t kBytes = kNested ? 1 : 4;
        scale0 = scales + static_cast<std::uint64_t>(at0) * kBytes;
        scale1 = scales + static_cast<std::uint64_t>(at1) * kBytes;
        nested = w.nested_absmax;
    }

    __device__ void read(Weights<kNested>& to) {
#pragma unroll
        for (int i = 0; i < kPerWarp; ++i) {
            to.upper[i] = to.lower[i] = make_uint2(0, 0);
            to.upper_scale[i] = to.lower_scale[i] = 0;
            if (!kWhole && i >= count) continue;
            to.upper[i] = __ldcs(codes0 + 4 * i);
            to.lower[i] = __ldcs(codes1 + 4 * i);
            if constexpr (kNested) {
                to.upper_scale[i] = __ldcs(scale0 + i);
                to.lower_scale[i] = __ldcs(scale1 + i);
            } else {
                to.upper_scale[i] = __ldcs(reinterpret_cast<const std::uint32_t*>(scale0) + i);
                to.lower_scale[i] = __ldcs(reinterpret_cast<const std::uint32_t*>(scale1) + i);
            }
        }
        if constexpr (kNested)
            if (kWhole || count > 0) {
                const std::uint32_t last = kWhole ? kPerWarp - 1 : min(kPerWarp, count) - 1;
                to.upper_nested[0] = __ldg(nested + (at0 >> 8));
                to.upper_nested[1] = __ldg(nested + (at0 + last >> 8));
                to.lower_nested[0] = __ldg(nested + (at1 >> 8));
                to.lower_nested[1] = __ldg(nested + (at1 + last >> 8));
            }
        codes0 += static_cast<std::uint64_t>(per_row) * (4 * kGemvRows);
        codes1 += static_cast<std::uint64_t>(per_row) * (4 * kGemvRows);
        scale0 += per_row * (kGemvRows * (kNested ? 1 : 4));
        scale1 += per_row * (kGemvRows * (kNested ? 1 : 4));
        at0 += per_row * kGemvRows;
        at1 += per_row * kGemvRows;
    }
};
static_assert(kNestedBlock == 256);

struct Shared {
    PairTable table;
    float nested_code[256];
    float part[2][kWarps][kGemvRows], u[kDecodeMostRank];
    alignas(16) __half x[kGemvBlocks * kNf4Block];
};

// u of every linear, one after the other: Σ of the partial vectors, eight threads a value.
__device__ inline void addUp(const DecodeGroup& group, float* u) {
    int begin = 0;
    for (int l = 0; l < group.count; ++l) {
        const DecodeLora& lora = group.linear[l].lora;
        // Whole warps go round together, so that their lanes can add up.
        for (int v = threadIdx.x; v < (lora.r * 8 + 31) / 32 * 32; v += kThreads) {
            const int element = v / 8, part = v % 8;
            float sum = 0;
            if (element < lora.r)
                for (int s = part; s < lora.sums; s += 8) sum += __ldcg(lora.u + s * lora.stride + element);
#pragma unroll
            for (int step = 4; step > 0; step >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, step);
            if (part == 0 && element < lora.r) u[begin + element] = sum;
        }
        begin += lora.r;
    }
}

// One segment, whose first tile has been read. Other warps compute while one waits for its weights.
template <bool kNested, bool kWhole>
__device__ void computeSegment(Shared& s, const DecodeLinear& linear, const Segment& segment,
                               Reader<kNested, kWhole>& reader, Weights<kNested>& own, const float* u, float* out) {
    const std::uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, lane4 = lane * 4;
    const int row = threadIdx.x / 16, column = threadIdx.x % 16, count = reader.count;
    const int r = segment.piece == 0 ? linear.lora.r : 0;
    const float offset = linear.weights.offset, lora_scale = linear.lora.scale;
    const float own_u = column < r ? u[column] : 0.0f;
    const float* b = linear.lora.b + static_cast<std::int64_t>(segment.row + row) * linear.lora.r + column;
    const auto* bias = static_cast<const Bf16*>(linear.bias);
    const bool adds_bias = column == kWarps && segment.piece == 0 && bias != nullptr;
    const __half* x = s.x + warp * kPerWarp * kNf4Block + lane % 4 * 16;
    for (int tile = 0; tile < segment.tiles; ++tile) {
        float y = column < r ? *b * own_u : 0.0f;
        for (int j = column + 16; j < r; j += 16) y += b[j - column] * u[j];
        y *= lora_scale;
        if (adds_bias) y += __bfloat162float(bias[segment.row + tile * kGemvRows + row]);
        b += kGemvRows * linear.lora.r;
        if (tile > 0) reader.read(own);
        const std::uint32_t at0 = reader.at0 - reader.per_row * kGemvRows,
                            at1 = reader.at1 - reader.per_row * kGemvRows;
        float sum0 = 0, sum1 = 0;
#pragma unroll
        for (int i = 0; i < kPerWarp; ++i) {
            if (!kWhole && i >= count) continue;
            const uint4* eight = reinterpret_cast<const uint4*>(x + i * kNf4Block);
            float sums[4] = {}, more[4] = {};
            eightColumns(s.table, lane4, sums, own.upper[i].x, own.lower[i].x, eight[0]);
            eightColumns(s.table, lane4, more, own.upper[i].y, own.lower[i].y, eight[1]);
            float scale0 = __uint_as_float(own.upper_scale[i]), scale1 = __uint_as_float(own.lower_scale[i]);
            if constexpr (kNested) {
                const float nested0 = (at0 + i ^ at0) >> 8 ? own.upper_nested[1] : own.upper_nested[0];
                const float nested1 = (at1 + i ^ at1) >> 8 ? own.lower_nested[1] : own.lower_nested[0];
                scale0 = __fadd_rn(__fmul_rn(s.nested_code[own.upper_scale[i]], nested0), offset);
                scale1 = __fadd_rn(__fmul_rn(s.nested_code[own.lower_scale[i]], nested1), offset);
            }
            sum0 += (sums[0] + more[0]) * scale0;
            sum1 += (sums[2] + more[2]) * scale1;
        }
        float(*part)[kGemvRows] = s.part[tile & 1];
        if (lane % 4 == 0) {
            part[warp][lane / 4] = sum0;
            part[warp][lane / 4 + 8] = sum1;
        }
        __syncthreads();  // the other half is written next, so that one barrier a tile is enough
        if (column < kWarps) y += part[column][row];
#pragma unroll
        for (int step = 8; step > 0; step >>= 1) y += __shfl_xor_sync(0xffffffffu, y, step);
        if (column == 0) out[segment.out + tile * kGemvRows + row] = y;
    }
}

// A block of threads has its share of the units in a row. The weights of its first tile are on their way before the
// kernel in front has ended. A lane's products with x meet in the accumulators of the tensor cores.
template <bool kNested, bool kStacked, bool kWhole>
__global__ void __launch_bounds__(kThreads, kResident)
    gemv(const __grid_constant__ DecodeGroup group, const __half* x, float* out, int units, int tiles, int rows) {
    __shared__ Shared s;
    letNextStart();
    int number = static_cast<int>(static_cast<std::int64_t>(units) * blockIdx.x / gridDim.x);
    const int end = static_cast<int>(static_cast<std::int64_t>(units) * (blockIdx.x + 1) / gridDim.x);
    Segment segment = segmentAt<kStacked>(group, number, end, tiles, rows);
    Reader<kNested, kWhole> reader(group.linear[segment.linear].weights, segment);
    Weights<kNested> weights;
    if (number < end) reader.read(weights);
    s.table.fill();
    bool first = true;
    while (number < end) {
        const DecodeLinear& linear = group.linear[segment.linear];
        if constexpr (kNested) s.nested_code[threadIdx.x] = linear.weights.nested_code[threadIdx.x];
        if (first) {
            waitForPrevious();
            addUp(group, s.u);
            first = false;
        } else {
            reader = Reader<kNested, kWhole>(linear.weights, segment);
            reader.read(weights);
        }
        const int x_begin = linear.column + segment.piece * kGemvBlocks * kNf4Block;
        const int x_count = min(kGemvBlocks * kNf4Block,
                                static_cast<int>(linear.weights.cols) - segment.piece * kGemvBlocks * kNf4Block);
        for (int c = threadIdx.x * 8; c < x_count; c += kThreads * 8)
            *reinterpret_cast<uint4*>(s.x + c) = __ldcg(reinterpret_cast<const uint4*>(x + x_begin + c));
        __syncthreads();
        const float* u = s.u;
        for (int l = 0; l < segment.linear; ++l) u += group.linear[l].lora.r;
        computeSegment<kNested, kWhole>(s, linear, segment, reader, weights, u, out);
        number += segment.tiles;
        if (number < end) segment = segmentAt<kStacked>(group, number, end, tiles, rows);
        __syncthreads();  // nested_code and x are read by others
    }
    if (first) waitForPrevious();
}

constexpr int kHeadThreads = 256, kHeadWarps = kHeadThreads / 32;

// A warp a row, its values in pieces of eight.
__global__ void __launch_bounds__(kHeadThreads)
    headRows(const Bf16* head, int rows, int cols, const Bf16* bias, const float* h, float* logits) {
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

template <bool kStacked>
void launch(Stream stream, const DecodeGroup& group, const void* x, float* out, int units, int tiles, int rows) {
    const bool nested = group.linear[0].weights.absmax == nullptr;
    bool whole = true;  // every piece has all its blocks, so that nothing need be asked in between
    for (int i = 0; i < group.count; ++i)
        whole = whole && group.linear[i].weights.cols % (kGemvBlocks * kNf4Block) == 0;
    const auto kernel = nested  ? whole ? gemv<true, kStacked, true> : gemv<true, kStacked, false>
                         : whole ? gemv<false, kStacked, true>
                                : gemv<false, kStacked, false>;
    launchEarly(kernel, gridFor(units), kThreads, stream, group, static_cast<const __half*>(x), out, units, tiles,
                rows);
}

}  // namespace

void decodeStacked(Stream stream, const DecodeGroup& group, const void* h, float* y) {
    const DecodeLinear& last = group.linear[group.count - 1];
    const int tiles = static_cast<int>((last.row + last.weights.rows) / kGemvRows);
    launch<true>(stream, group, h, y, tiles, tiles, 0);
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
    launch<false>(stream, group, z, pieces, units, tiles, rows);
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
