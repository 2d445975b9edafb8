// Weights for the products of one token: how they are shared out, and the ring of stages in shared memory through which
// they come. For decode_gemv_cuda.cu alone.
#pragma once

#include "engine/kernels/decode_cuda.cuh"
#include "engine/kernels/decode_cuda.h"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kConsumers = 256, kBringers = 4;  // threads that multiply; warps behind them that bring the weights
constexpr int kThreads = kConsumers + kBringers * 32, kWarps = kConsumers / 32;
constexpr int kRegisters = 64;
constexpr int kRowGap = 32;      // bytes behind a row of a stage: the 32 bytes of four rows then lie in all banks
constexpr int kWholeStage = 40;  // units of a stage, where there is room
constexpr int kMostStages = 6, kFewestStages = 2;
constexpr int kInFlight = 4;           // stages
constexpr int kForOthers = 36 * 1024;  // shared memory that the kernels between two of these need
constexpr int kSumsAtOnce = 5;
constexpr std::uint32_t kAll = 0xffffffffu;

// What those who multiply are told of a stage.
struct alignas(16) Note {
    int column = 0, count = 0;  // of x; units
    int ends = 0;               // 1: the tile, 2: the share
    int unused = 0;
};

// How a group is shared out. A unit is one quantisation block of sixteen rows, a tile all units of sixteen rows; a
// block of threads has units in a row, in fours, at least a tile's worth, so that at most two of them share a tile. A
// stage is what is copied into shared memory at a time: units of one tile and one linear.
struct GemvPlan {
    int tile_units = 0, units = 0;  // of a tile; in all
    int blocks = 0;                 // of threads
    int x_columns = 0, ranks = 0;   // Σ r
    int stage_units = 0, stages = 0;
    int b_stride = 0;  // floats between rows of B in shared memory; 0: B does not fit in there
    // Where things are in shared memory, in bytes; the table of pairs comes first.
    int x = 0, parts = 0, b = 0, u = 0, nested_codes = 0, barriers = 0, ring = 0, bytes = 0;

    // A stage: codes of sixteen rows, their scales, a note. Bytes and floats between two rows.
    __host__ __device__ int codesRow() const { return stage_units * (kNf4Block / 2) + kRowGap; }
    __host__ __device__ int scalesRow() const { return stage_units + 4; }
    __host__ __device__ int scalesAt() const { return kGemvRows * codesRow(); }
    __host__ __device__ int noteAt() const { return scalesAt() + kGemvRows * scalesRow() * 4; }
    __host__ __device__ int stageBytes() const { return (noteAt() + int(sizeof(Note)) + 127) / 128 * 128; }
};

struct Stage {
    int linear = 0, row = 0, block = 0, count = 0;  // in the linear: first row, first block in each row, how many
    int ends = 0;                                   // 1: the tile, 2: the share
};

__host__ __device__ inline int blocksOf(const DecodeLinear& linear) {
    return static_cast<int>(linear.weights.cols) / kNf4Block;
}

// The stage that begins with `unit` in a share that ends before `end`.
template <bool kStacked>
__device__ Stage stageAt(const DecodeGroup& group, const GemvPlan& plan, int unit, int end) {
    Stage stage;
    const int tile = unit / plan.tile_units;
    stage.row = tile * kGemvRows;
    stage.block = unit - tile * plan.tile_units;
    if constexpr (kStacked) {
        while (stage.linear + 1 < group.count && stage.row >= group.linear[stage.linear + 1].row) ++stage.linear;
        stage.row -= group.linear[stage.linear].row;
    } else {
        while (stage.block >= blocksOf(group.linear[stage.linear]))
            stage.block -= blocksOf(group.linear[stage.linear++]);
    }
    stage.count = min(min(plan.stage_units, blocksOf(group.linear[stage.linear]) - stage.block), end - unit);
    stage.ends = unit + stage.count == end ? 2 : (unit + stage.count) % plan.tile_units == 0 ? 1 : 0;
    return stage;
}

__device__ inline std::uint32_t sharedAddress(const void* p) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// Barriers in shared memory on which warps wait for bytes, and the warp that brings them for room.
struct Barrier {
    std::uint32_t at;

    __device__ void begin(int arrivals) const {
        asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(at), "r"(arrivals));
    }
    __device__ void arrive() const {
        asm volatile("{ .reg .b64 state; mbarrier.arrive.shared.b64 state, [%0]; }" ::"r"(at) : "memory");
    }
    __device__ void wait(std::uint32_t parity) const {
        std::uint32_t done = 0;
        while (done == 0)
#if __CUDA_ARCH__ >= 900
            asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                         : "=r"(done)
                         : "r"(at), "r"(parity)
                         : "memory");
#else
            asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
                         : "=r"(done)
                         : "r"(at), "r"(parity)
                         : "memory");
#endif
    }
};

// Arrivals until a stage is full: of the codes, and of the scales.
#if __CUDA_ARCH__ >= 900
constexpr int kArrivals = 1 + 1;
#else
constexpr int kArrivals = 32 + 1;
#endif

// Sets the codes of a stage on their way, row by row.
__device__ inline void bringCodes(const Nf4View& w, const Stage& stage, std::uint32_t to, int to_row, Barrier full) {
    const int lane = threadIdx.x % 32, row_bytes = stage.count * (kNf4Block / 2);
    const std::uint8_t* from = w.codes + (static_cast<std::int64_t>(stage.row) * w.cols + stage.block * kNf4Block) / 2;
#if __CUDA_ARCH__ >= 900
    if (lane == 0)
        asm volatile("{ .reg .b64 state; mbarrier.arrive.expect_tx.shared.b64 state, [%0], %1; }" ::"r"(full.at),
                     "r"(kGemvRows * row_bytes)
                     : "memory");
    __syncwarp();
    if (lane < kGemvRows)
        asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                         to + lane * to_row),
                     "l"(from + lane * (w.cols / 2)), "r"(row_bytes), "r"(full.at)
                     : "memory");
#else
    for (int row = 0; row < kGemvRows; ++row)
        for (int i = lane * 16; i < row_bytes; i += 32 * 16)
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to + row * to_row + i),
                         "l"(from + row * (w.cols / 2) + i)
                         : "memory");
    asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(full.at) : "memory");
#endif
}

// The scales of a stage, four at a time; all are read before any is used. A nested scale covers 256 scales of rows that
// lie one behind the other, so that those of a stage fit into the lanes of a warp.
template <bool kNested>
__device__ void bringScales(const Nf4View& w, const float* nested_codes, const Stage& stage, float* to, int to_row) {
    constexpr int kRounds = kWholeStage * kGemvRows / 4 / 32;
    const int lane = threadIdx.x % 32, fours = stage.count / 4, last = fours * kGemvRows - 1;
    const std::uint32_t per_row = static_cast<std::uint32_t>(w.cols / kNf4Block);
    const std::uint32_t first = static_cast<std::uint32_t>(stage.row) * per_row + stage.block;
    const std::uint32_t reciprocal = 65536u / fours + 1;  // i / fours for i < 160, fours ≤ 10
    struct Place {
        int row, block;
    };
    const auto place = [&](int round) {
        const int i = min(round * 32 + lane, last);
        const int row = static_cast<int>(static_cast<std::uint32_t>(i) * reciprocal >> 16);
        return Place{row, (i - row * fours) * 4};
    };
    std::uint32_t raw[kRounds];
    float nested = 0;
    if constexpr (kNested) {
#pragma unroll
        for (int round = 0; round < kRounds; ++round) {
            const Place p = place(round);
            raw[round] = *reinterpret_cast<const std::uint32_t*>(w.absmax_codes + first + p.row * per_row + p.block);
        }
        nested = w.nested_absmax[min((first >> 8) + lane, static_cast<std::uint32_t>(w.rows * per_row - 1) >> 8)];
    }
#pragma unroll
    for (int round = 0; round < kRounds; ++round) {
        const Place p = place(round);
        const std::uint32_t at = first + p.row * per_row + p.block;
        float4 scale;
        if constexpr (kNested) {
            const float outer = __shfl_sync(kAll, nested, (at >> 8) - (first >> 8));
            const auto of = [&](std::uint32_t code) {
                return __fadd_rn(__fmul_rn(nested_codes[code & 255u], outer), w.offset);
            };
            scale = make_float4(of(raw[round]), of(raw[round] >> 8), of(raw[round] >> 16), of(raw[round] >> 24));
        } else {
            scale = *reinterpret_cast<const float4*>(w.absmax + at);
        }
        *reinterpret_cast<float4*>(to + p.row * to_row + p.block) = scale;
    }
}
constexpr int kMostBlocks = (32 - 1) * kNestedBlock / kGemvRows;  // of a row
static_assert(kNestedBlock == 256);

// Sixteen bytes on their way into shared memory.
__device__ inline void copy16(void* to, const void* from) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(sharedAddress(to)), "l"(from) : "memory");
}

__device__ inline void consumersMeet() {
    asm volatile("bar.sync 1, %0;" ::"n"(kConsumers) : "memory");
}

// Goes through the stages of a share: calls use(number, stage, slot, round of the ring).
template <bool kStacked, class Use>
__device__ void forEachStage(const DecodeGroup& group, const GemvPlan& plan, int begin, int end, const Use& use) {
    int slot = 0, round = 0;
    for (int unit = begin, number = 0; unit < end; ++number) {
        const Stage stage = stageAt<kStacked>(group, plan, unit, end);
        use(number, stage, slot, round);
        unit += stage.count;
        if (++slot == plan.stages) {
            slot = 0;
            ++round;
        }
    }
}

// The first of the bringers sets the codes on their way. While the kernel in front still runs (`started` is 0) one
// stage at a time: they read little, but wait for it, and it would queue up behind a whole ring. Later as many as the
// memory's bandwidth asks for.
template <bool kStacked>
__device__ void bringAllCodes(const DecodeGroup& group, const GemvPlan& plan, int begin, int end, char* shared,
                              const volatile int* started, Barrier full, Barrier empty) {
    forEachStage<kStacked>(group, plan, begin, end, [&](int number, const Stage& stage, int slot, int round) {
        const int before = number - (*started != 0 ? min(kInFlight, plan.stages) : kStacked ? 2 : 1);
        if (before >= 0) Barrier{full.at + 8 * (before % plan.stages)}.wait(before / plan.stages & 1);
        Barrier{empty.at + 8 * slot}.wait(round & 1 ^ 1);  // the first round need not wait for room
        bringCodes(group.linear[stage.linear].weights, stage,
                   sharedAddress(shared + plan.ring + slot * plan.stageBytes()), plan.codesRow(),
                   Barrier{full.at + 8 * slot});
    });
}

// The others bring the scales, each of every so many stages.
template <bool kNested, bool kStacked>
__device__ void bringAllScales(const DecodeGroup& group, const GemvPlan& plan, int begin, int end, char* shared,
                               Barrier full, Barrier empty) {
    const int own = (static_cast<int>(threadIdx.x) - kConsumers) / 32 - 1;
    auto* nested_codes = reinterpret_cast<float*>(shared + plan.nested_codes) + own * 256;
    int linear = -1;
    forEachStage<kStacked>(group, plan, begin, end, [&](int number, const Stage& stage, int slot, int round) {
        if (number % (kBringers - 1) != own) return;
        const Nf4View& w = group.linear[stage.linear].weights;
        if (kNested && linear != stage.linear) {
            __syncwarp();
            for (int i = threadIdx.x % 32; i < 256; i += 32) nested_codes[i] = w.nested_code[i];
            __syncwarp();
            linear = stage.linear;
        }
        Barrier{empty.at + 8 * slot}.wait(round & 1 ^ 1);
        char* to = shared + plan.ring + slot * plan.stageBytes();
        bringScales<kNested>(w, nested_codes, stage, reinterpret_cast<float*>(to + plan.scalesAt()), plan.scalesRow());
        __syncwarp();
        if (threadIdx.x % 32 == 0) {
            const int column = group.linear[stage.linear].column + stage.block * kNf4Block;
            *reinterpret_cast<Note*>(to + plan.noteAt()) = {column, stage.count, stage.ends, 0};
            Barrier{full.at + 8 * slot}.arrive();
        }
    });
}

}  // namespace
}  // namespace studio::engine::kernels::gpu
