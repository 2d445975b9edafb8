#include <algorithm>
#include <utility>

#include "engine/kernels/decode_ring.cuh"

namespace studio::engine::kernels::gpu {
namespace {

// The sixteen NF4 codes as halves.
__constant__ std::uint16_t kHalfCode[16] = {0xbc00, 0xb992, 0xb833, 0xb652, 0xb48d, 0xb1ea, 0xadd4, 0x0000,
                                            0x2d18, 0x3126, 0x33e0, 0x3568, 0x370d, 0x3880, 0x39c9, 0x3c00};

constexpr int kPairs = 256;

// A byte of two codes to two halves, one copy for each lane in a bank of its own.
struct PairTable {
    std::uint32_t pair[kPairs * 32];

    // By the first kPairs threads.
    __device__ void fill() {
        const std::uint32_t byte = threadIdx.x, lane = threadIdx.x % 32;
        // The first of two codes is in the high half of its byte.
        const std::uint32_t own = kHalfCode[byte >> 4] | static_cast<std::uint32_t>(kHalfCode[byte & 15u]) << 16;
#pragma unroll 4
        for (std::uint32_t i = 0; i < 32; ++i)
            pair[(byte - lane + i) * 32 + lane] = __shfl_sync(kAll, own, static_cast<int>(i));
    }
};
static_assert(kConsumers >= kPairs);

// `place`: the lane, and in bits 7 … 14 a byte; both together are an index in bytes.
__device__ inline std::uint32_t look(const PairTable& table, std::uint32_t place) {
    return *reinterpret_cast<const std::uint32_t*>(reinterpret_cast<const char*>(table.pair) + place);
}

__device__ inline void multiply(float* sums, std::uint32_t a0, std::uint32_t a1, std::uint32_t a2, std::uint32_t a3,
                                std::uint32_t b0, std::uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
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

// u of every linear, one after the other: Σ of the partial vectors, eight threads a value, their reads at once. By
// those who brought the weights, while the last of these are multiplied.
__device__ inline void addUp(const DecodeGroup& group, int ranks, float* u) {
    // Whole warps go round together, so that their lanes can add up.
    for (int v = threadIdx.x - kConsumers; v < (ranks * 8 + 31) / 32 * 32; v += kBringers * 32) {
        int l = 0, element = v / 8;
        while (l + 1 < group.count && element >= group.linear[l].lora.r) element -= group.linear[l++].lora.r;
        const DecodeLora& lora = group.linear[l].lora;
        const float* from = lora.u + element;
        const int sums = element < lora.r ? lora.sums : 0;
        float sum = 0;
        for (int s = v % 8; s < sums; s += 8 * kSumsAtOnce) {
            float part[kSumsAtOnce];
#pragma unroll
            for (int i = 0; i < kSumsAtOnce; ++i) part[i] = __ldcg(from + min(s + 8 * i, sums - 1) * lora.stride);
#pragma unroll
            for (int i = 0; i < kSumsAtOnce; ++i) sum += s + 8 * i < sums ? part[i] : 0.0f;
        }
#pragma unroll
        for (int step = 4; step > 0; step >>= 1) sum += __shfl_xor_sync(kAll, sum, step);
        if (v % 8 == 0 && v / 8 < ranks) u[v / 8] = sum;
    }
}

// Rows of B lie at sixteen bytes in shared memory.
__host__ __device__ constexpr int paddedRank(int r) {
    return (r + 3) / 4 * 4;
}

// A row of the result, of which a thread adds up the parts: what it needs for that, on its way beforehand.
template <bool kStacked>
struct OutRow {
    bool there = false, began_here = false, ends_here = false;
    int linear = 0, row = 0, u = 0;  // in the linear; where its u begins
    const Bf16* bias = nullptr;
    Bf16 bias_value;
    std::int64_t out = 0;

    __device__ OutRow(const DecodeGroup& group, const GemvPlan& plan, int first_tile, int tiles, int begin, int end) {
        const int i = threadIdx.x, tile = first_tile + i / kGemvRows;
        there = i < tiles * kGemvRows;
        if (!there) return;
        const Stage stage = stageAt<kStacked>(group, plan, tile * plan.tile_units, plan.units);
        began_here = tile * plan.tile_units >= begin;
        ends_here = (tile + 1) * plan.tile_units <= end;
        linear = stage.linear;
        row = stage.row + i % kGemvRows;
        out = static_cast<std::int64_t>(tile) * kGemvRows + i % kGemvRows;
        if constexpr (kStacked)
            for (int l = 0; l < linear; ++l) u += group.linear[l].lora.r;
        bias = static_cast<const Bf16*>(group.linear[linear].bias);
        if (bias != nullptr) bias_value = bias[row];
    }
    // B's row into shared memory.
    __device__ void bring(const DecodeGroup& group, float* own_b) const {
        if (!there || !began_here) return;
        for (int l = linear; l < (kStacked ? linear + 1 : group.count); ++l) {
            const int r = group.linear[l].lora.r;
            const float* b = group.linear[l].lora.b + static_cast<std::int64_t>(row) * r;
            if (r % 4 == 0)
                for (int j = 0; j < r; j += 4) copy16(own_b + j, b + j);
            else
                for (int j = 0; j < r; ++j) own_b[j] = b[j];
            own_b += paddedRank(r);
        }
    }
    // Bias, and what LoRA adds. `own_b`: the row of B in shared memory, or null.
    __device__ float more(const DecodeGroup& group, const float* u_all, const float* own_b) const {
        float sum = bias != nullptr ? __bfloat162float(bias_value) : 0.0f;
        int at = u;
        for (int l = linear; l < (kStacked ? linear + 1 : group.count); ++l) {
            const DecodeLora& lora = group.linear[l].lora;
            const float* b = own_b != nullptr ? own_b : lora.b + static_cast<std::int64_t>(row) * lora.r;
            float dots[4] = {};
            int j = 0;
            for (; j + 4 <= lora.r; j += 4)
#pragma unroll
                for (int k = 0; k < 4; ++k) dots[k] += b[j + k] * u_all[at + j + k];
            for (; j < lora.r; ++j) dots[0] += b[j] * u_all[at + j];
            sum += lora.scale * (dots[0] + dots[1] + (dots[2] + dots[3]));
            at += lora.r;
            if (own_b != nullptr) own_b += paddedRank(lora.r);
        }
        return sum;
    }
};

// One unit: sixteen rows, 64 columns. A lane has the codes of sixteen columns of two rows; its products with x meet in
// the accumulators of the tensor cores.
__device__ inline void unitProduct(const PairTable& table, std::uint32_t lane4, const char* codes, int codes_row,
                                   const __half* x, const float* scale, int scales_row, float* sums) {
    const uint2 upper = *reinterpret_cast<const uint2*>(codes);
    const uint2 lower = *reinterpret_cast<const uint2*>(codes + 8 * codes_row);
    const uint4* eight = reinterpret_cast<const uint4*>(x);
    float one[4] = {}, two[4] = {};
    eightColumns(table, lane4, one, upper.x, lower.x, eight[0]);
    eightColumns(table, lane4, two, upper.y, lower.y, eight[1]);
    sums[0] += (one[0] + two[0]) * scale[0];
    sums[1] += (one[2] + two[2]) * scale[8 * scales_row];
}

// Products of the share, stage by stage as they come; the sums of each warp go to `parts`.
__device__ inline void multiplyShare(const GemvPlan& plan, const char* shared, float* parts, Barrier full,
                                     Barrier empty) {
    const auto& table = *reinterpret_cast<const PairTable*>(shared);
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int codes_row = plan.codesRow(), scales_row = plan.scalesRow();
    const auto* x = reinterpret_cast<const __half*>(shared + plan.x) + lane % 4 * 16;
    const char* codes = shared + plan.ring + lane / 4 * codes_row + lane % 4 * 8;
    const char* scales = shared + plan.ring + plan.scalesAt() + lane / 4 * scales_row * 4;
    const char* notes = shared + plan.ring + plan.noteAt();
    float* part = parts + warp * kGemvRows + lane / 4;
    float sums[2] = {};
    int slot = 0, at = 0, turn = warp;
    std::uint32_t parity = 0;
    for (int ends = 0; ends < 2;) {
        Barrier{full.at + 8 * slot}.wait(parity);
        const Note note = *reinterpret_cast<const Note*>(notes + at);
        ends = note.ends;
        const __half* own_x = x + note.column;
        const auto* scale = reinterpret_cast<const float*>(scales + at);
#pragma unroll 1
        for (int i = turn; i < note.count; i += kWarps)
            unitProduct(table, lane * 4, codes + at + i * (kNf4Block / 2), codes_row, own_x + i * kNf4Block, scale + i,
                        scales_row, sums);
        turn = (turn + kWarps / 2) % kWarps;  // warps take turns in having one unit more
        __syncwarp();
        if (lane == 0) Barrier{empty.at + 8 * slot}.arrive();
        if (ends != 0) {
            if (lane % 4 == 0) {
                part[0] = sums[0];
                part[8] = sums[1];
            }
            sums[0] = sums[1] = 0;
            part += kWarps * kGemvRows;
        }
        at += plan.stageBytes();
        if (++slot == plan.stages) {
            slot = at = 0;
            parity ^= 1;
        }
    }
}

// Weights come through a ring of stages in shared memory, begun before the kernel in front has ended.
template <bool kNested, bool kStacked>
__global__ void __maxnreg__(kRegisters)  // so that the kernels in between find room beside
    gemv(const __grid_constant__ DecodeGroup group, const __grid_constant__ GemvPlan plan, const __half* x,
         float* out) {
    extern __shared__ __align__(128) char shared[];
    __shared__ int started;
    const int begin = static_cast<int>(plan.units / 4 * static_cast<std::int64_t>(blockIdx.x) / gridDim.x) * 4;
    const int end = static_cast<int>(plan.units / 4 * static_cast<std::int64_t>(blockIdx.x + 1) / gridDim.x) * 4;
    const Barrier full{sharedAddress(shared + plan.barriers)}, empty{full.at + 8 * kMostStages};
    if (threadIdx.x == kConsumers) {
        started = 0;
        for (int i = 0; i < plan.stages; ++i) {
            Barrier{full.at + 8 * i}.begin(kArrivals);
            Barrier{empty.at + 8 * i}.begin(kWarps);
        }
#if __CUDA_ARCH__ >= 900
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
    }
    __syncthreads();
    auto* u = reinterpret_cast<float*>(shared + plan.u);
    auto* own_x = reinterpret_cast<__half*>(shared + plan.x);
    auto* parts = reinterpret_cast<float*>(shared + plan.parts);
    if (threadIdx.x >= kConsumers) {
        if (threadIdx.x < kConsumers + 32)
            bringAllCodes<kStacked>(group, plan, begin, end, shared, &started, full, empty);
        else
            bringAllScales<kNested, kStacked>(group, plan, begin, end, shared, full, empty);
        waitForPrevious();
        addUp(group, plan.ranks, u);
        __syncthreads();
        return;
    }
    const int first_tile = begin / plan.tile_units, tiles = (end - 1) / plan.tile_units - first_tile + 1;
    const OutRow<kStacked> result(group, plan, first_tile, tiles, begin, end);
    float* own_b =
        plan.b_stride == 0 ? nullptr : reinterpret_cast<float*>(shared + plan.b) + threadIdx.x * plan.b_stride;
    if (own_b != nullptr) result.bring(group, own_b);
    if (threadIdx.x < kPairs) reinterpret_cast<PairTable*>(shared)->fill();
    waitForPrevious();
    // Not before: what the next kernel reads ahead would be driven out of the cache by the weights.
    letNextStart();
    if (threadIdx.x == 0) *const_cast<volatile int*>(&started) = 1;
#pragma unroll 4
    for (int c = threadIdx.x * 8; c < plan.x_columns; c += kConsumers * 8) copy16(own_x + c, x + c);
    asm volatile("cp.async.wait_all;" ::: "memory");
    consumersMeet();
    multiplyShare(plan, shared, parts, full, empty);
    __syncthreads();
    if (!result.there) return;
    float y = 0;
    const float* part = parts + threadIdx.x / kGemvRows * (kWarps * kGemvRows) + threadIdx.x % kGemvRows;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) y += part[w * kGemvRows];
    const std::int64_t rows = static_cast<std::int64_t>(plan.units / plan.tile_units) * kGemvRows;
    if (result.began_here) {
        out[result.out] = y + result.more(group, u, own_b);
        if (result.ends_here) out[rows + result.out] = 0;  // nobody else has part of it
    } else {
        out[rows + result.out] = y;
    }
}

int cardHas(cudaDeviceAttr attribute) {
    int card = 0, value = 0;
    cudaGetDevice(&card);
    cudaDeviceGetAttribute(&value, attribute, card);
    return value;
}

// Shared memory is given to the ring last; empty where even a short one does not fit.
GemvPlan planFor(const DecodeGroup& group, bool stacked) {
    GemvPlan plan;
    int tiles = 0, widest = 0;
    for (int i = 0; i < group.count; ++i) {
        const DecodeLinear& linear = group.linear[i];
        const int linear_tiles = static_cast<int>(linear.weights.rows) / kGemvRows, r = linear.lora.r;
        tiles = stacked ? tiles + linear_tiles : linear_tiles;
        plan.tile_units = stacked ? blocksOf(linear) : plan.tile_units + blocksOf(linear);
        if (blocksOf(linear) % 4 != 0 || blocksOf(linear) > kMostBlocks) return {};
        // A checkpoint may have kept some of its linears, which are quantised here in another way than the rest.
        if ((linear.weights.absmax == nullptr) != (group.linear[0].weights.absmax == nullptr)) return {};
        plan.x_columns = std::max(plan.x_columns, linear.column + static_cast<int>(linear.weights.cols));
        plan.ranks += r;
        widest = stacked ? std::max(widest, r) : widest + paddedRank(r);
    }
    plan.units = tiles * plan.tile_units;
    // A thread adds up one row at the end.
    constexpr int kMostTiles = kConsumers / kGemvRows;
    plan.blocks = std::min(tiles, std::max(cardHas(cudaDevAttrMultiProcessorCount), tiles / (kMostTiles - 2) + 1));
    const int most_units = (plan.units / 4 + plan.blocks - 1) / plan.blocks * 4,
              most_tiles = most_units / plan.tile_units + 2;
    const int whole = cardHas(cudaDevAttrMaxSharedMemoryPerMultiprocessor),
              most = cardHas(cudaDevAttrMaxSharedMemoryPerBlockOptin);
    // Where the ring does not fit otherwise, the kernels in between must wait until it is gone.
    for (const int for_others : {kForOthers, 0})
        for (const bool with_b : {true, false}) {
            const int budget = std::min(whole - for_others, most);
            // Rows begin at sixteen bytes, and eight of them in different banks.
            plan.b_stride = with_b && widest > 0 ? (widest + 7) / 8 * 8 + 4 : 0;
            int used = sizeof(PairTable);
            const auto take = [&](int bytes) { return std::exchange(used, used + (bytes + 127) / 128 * 128); };
            plan.x = take(plan.x_columns * 2);
            plan.parts = take(most_tiles * kWarps * kGemvRows * 4);
            plan.b = take(most_tiles * kGemvRows * plan.b_stride * 4);
            plan.u = take(plan.ranks * 4);
            plan.nested_codes = take((kBringers - 1) * 256 * 4);
            plan.barriers = take(2 * kMostStages * 8);
            plan.ring = used;
            for (const int units : {kWholeStage, kWholeStage / 2, kWarps}) {
                plan.stage_units = units;
                plan.stages = std::min(kMostStages, (budget - used) / plan.stageBytes());
                plan.bytes = used + plan.stages * plan.stageBytes();
                if (plan.stages >= kFewestStages) return plan;
            }
        }
    return {};
}

template <bool kStacked>
void launch(Stream stream, const DecodeGroup& group, const void* x, float* out) {
    const GemvPlan plan = planFor(group, kStacked);
    const auto kernel = group.linear[0].weights.absmax == nullptr ? gemv<true, kStacked> : gemv<false, kStacked>;
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, plan.bytes);
    launchEarly(kernel, dim3(static_cast<unsigned>(plan.blocks)), kThreads, static_cast<unsigned>(plan.bytes), stream,
                group, plan, static_cast<const __half*>(x), out);
}

}  // namespace

bool decodeFits(const DecodeGroup& group, bool stacked) {
    return planFor(group, stacked).blocks > 0;
}

void decodeStacked(Stream stream, const DecodeGroup& group, const void* h, float* y) {
    launch<true>(stream, group, h, y);
}

void decodeSideBySide(Stream stream, const DecodeGroup& group, const void* z, float* pieces) {
    launch<false>(stream, group, z, pieces);
}

}  // namespace studio::engine::kernels::gpu
