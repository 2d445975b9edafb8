#include "engine/kernels/rows_cuda.h"

#include "engine/kernels/cuda_common.cuh"

namespace studio::engine::kernels::gpu {
namespace {

constexpr int kThreads = 256;

struct Place {
    std::int64_t row;
    int col;
};

// Vectors of eight are counted in 32 bits: 2³² of them are 64 GB.
__device__ Place placeOf(std::uint32_t vector, std::uint32_t per_row) {
    const std::uint32_t row = vector / per_row;
    return {row, static_cast<int>(vector - row * per_row) * 8};
}

__device__ std::uint32_t vectorIndex() {
    return blockIdx.x * kThreads + threadIdx.x;
}

__device__ Eight anyEight(const void* table, Element element, std::int64_t at) {
    if (element == Element::BF16) return loadEight(static_cast<const Bf16*>(table) + at);
    float v[8];
    if (element == Element::F16) {
        uint4 raw = *reinterpret_cast<const uint4*>(static_cast<const __half*>(table) + at);
        const __half* halves = reinterpret_cast<const __half*>(&raw);
#pragma unroll
        for (int i = 0; i < 8; ++i) v[i] = __half2float(halves[i]);
    } else {
        const float* from = static_cast<const float*>(table) + at;
#pragma unroll
        for (int i = 0; i < 8; ++i) v[i] = from[i];
    }
    return narrow(v);
}

__global__ void __launch_bounds__(kThreads)
    gather(const void* table, Element element, std::int64_t ld_table, const int* index, Bf16* out, std::int64_t ld,
           int per_row, std::int64_t count) {
    const std::uint32_t i = vectorIndex();
    if (i >= count) return;
    const Place at = placeOf(i, per_row);
    const std::int64_t from = index == nullptr ? at.row : index[at.row];
    storeEight(out + at.row * ld + at.col, anyEight(table, element, from * ld_table + at.col));
}

__global__ void __launch_bounds__(kThreads) scatter(const Bf16* in, std::int64_t ld_in, const int* index, float scale,
                                                    Bf16* out, std::int64_t ld, int per_row, std::int64_t count) {
    const std::uint32_t i = vectorIndex();
    if (i >= count) return;
    const Place at = placeOf(i, per_row);
    float v[8];
    widen(loadEight(in + at.row * ld_in + at.col), v);
#pragma unroll
    for (int k = 0; k < 8; ++k) v[k] *= scale;
    storeEight(out + static_cast<std::int64_t>(index[at.row]) * ld + at.col, narrow(v));
}

__global__ void __launch_bounds__(kThreads)
    addReaders(const Bf16* in, std::int64_t ld_in, const int* begin, const int* readers, Bf16* out, std::int64_t ld,
               int per_row, std::int64_t count) {
    const std::uint32_t i = vectorIndex();
    if (i >= count) return;
    const Place at = placeOf(i, per_row);
    float sum[8] = {};
    for (int r = begin[at.row]; r < begin[at.row + 1]; ++r) {
        float v[8];
        widen(loadEight(in + static_cast<std::int64_t>(readers[r]) * ld_in + at.col), v);
#pragma unroll
        for (int k = 0; k < 8; ++k) sum[k] += v[k];
    }
    storeEight(out + at.row * ld + at.col, narrow(sum));
}

__global__ void __launch_bounds__(kThreads)
    fill(const Bf16* bias, Bf16* out, std::int64_t ld, int per_row, std::int64_t count) {
    const std::uint32_t i = vectorIndex();
    if (i >= count) return;
    const Place at = placeOf(i, per_row);
    const Eight e = bias == nullptr ? Eight{} : loadEight(bias + at.col);
    storeEight(out + at.row * ld + at.col, e);
}

__global__ void __launch_bounds__(kThreads)
    patchRegion(LoraPatches patches, Bf16* out, std::int64_t ld, int per_row, std::int64_t count) {
    const std::uint32_t i = vectorIndex();
    if (i >= count) return;
    const Place at = placeOf(i, per_row);
    const int row = static_cast<int>(at.row);
    float v[8] = {};
    for (int p = 0; p < patches.count; ++p) {
        const LoraPatch& patch = patches.patch[p];
        const int r = row - patch.row, c = at.col - patch.column;
        if (r < 0 || r >= patch.rows || c <= -8 || c >= patch.cols) continue;
        const float* from = patch.values + static_cast<std::int64_t>(r) * patch.cols;
#pragma unroll
        for (int k = 0; k < 8; ++k)
            if (c + k >= 0 && c + k < patch.cols) v[k] = from[c + k] * patch.scale;
    }
    storeEight(out + at.row * ld + at.col, narrow(v));
}

// Plain bf16 rows: a block of threads a row, four vectors under way in each thread.
constexpr int kCopyThreads = 80, kCopyAhead = 4;
__global__ void __launch_bounds__(kCopyThreads)
    copyWide(const Bf16* in, std::int64_t ld_in, Bf16* out, std::int64_t ld, int cols) {
    const Bf16* from = in + blockIdx.x * ld_in;
    Bf16* to = out + blockIdx.x * ld;
    for (int c = static_cast<int>(threadIdx.x) * 8; c < cols; c += kCopyThreads * 8 * kCopyAhead) {
        uint4 piece[kCopyAhead];
#pragma unroll
        for (int i = 0; i < kCopyAhead; ++i)
            if (const int at = c + i * kCopyThreads * 8; at < cols)
                piece[i] = __ldcs(reinterpret_cast<const uint4*>(from + at));
#pragma unroll
        for (int i = 0; i < kCopyAhead; ++i)
            if (const int at = c + i * kCopyThreads * 8; at < cols) *reinterpret_cast<uint4*>(to + at) = piece[i];
    }
}

struct Launch {
    explicit Launch(const Matrix& m)
        : per_row(static_cast<int>(m.cols / 8)), count(m.rows * per_row), blocks(blocksFor(count, kThreads)) {}
    int per_row;
    std::int64_t count;
    unsigned blocks;
};

}  // namespace

void gatherRows(Stream stream, const Matrix& table, const int* index, const Matrix& out) {
    const Launch l(out);
    if (l.count == 0) return;
    gather<<<l.blocks, kThreads, 0, queue(stream)>>>(table.data, table.element, table.ld, index, bf16(out), out.ld,
                                                     l.per_row, l.count);
}

void copyRows(Stream stream, const Matrix& in, const Matrix& out) {
    if (in.element == Element::BF16 && out.cols >= kCopyThreads * 8 && out.rows > 0) {
        copyWide<<<static_cast<unsigned>(out.rows), kCopyThreads, 0, queue(stream)>>>(
            bf16(in), in.ld, bf16(out), out.ld, static_cast<int>(out.cols));
        return;
    }
    gatherRows(stream, in, nullptr, out);
}

void clearRows(Stream stream, const Matrix& out) {
    fillRows(stream, nullptr, out);
}

void scatterRows(Stream stream, const Matrix& in, const int* index, float scale, const Matrix& out) {
    const Launch l(in);
    if (l.count == 0) return;
    scatter<<<l.blocks, kThreads, 0, queue(stream)>>>(bf16(in), in.ld, index, scale, bf16(out), out.ld, l.per_row,
                                                      l.count);
}

void sumReaders(Stream stream, const Matrix& in, const int* begin, const int* readers, const Matrix& out) {
    const Launch l(out);
    if (l.count == 0) return;
    addReaders<<<l.blocks, kThreads, 0, queue(stream)>>>(bf16(in), in.ld, begin, readers, bf16(out), out.ld, l.per_row,
                                                         l.count);
}

void fillRows(Stream stream, const void* bias, const Matrix& out) {
    const Launch l(out);
    if (l.count == 0) return;
    fill<<<l.blocks, kThreads, 0, queue(stream)>>>(static_cast<const Bf16*>(bias), bf16(out), out.ld, l.per_row,
                                                   l.count);
}

void placeLora(Stream stream, const LoraPatches& patches, const Matrix& region) {
    const Launch l(region);
    if (l.count == 0) return;
    patchRegion<<<l.blocks, kThreads, 0, queue(stream)>>>(patches, bf16(region), region.ld, l.per_row, l.count);
}

}  // namespace studio::engine::kernels::gpu
