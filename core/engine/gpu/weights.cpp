#include "engine/gpu/weights.h"

#include <algorithm>

#include "engine/kernels/nf4_cuda.h"
#include "engine/kernels/rows_cuda.h"

namespace studio::engine::gpu {

void LinearGroup::expand(Stream stream, const Matrix& region) const {
    expandPart(stream, 0, 0, region.top(out).columns(0, in));
}

void LinearGroup::expandPart(Stream stream, std::int64_t row, std::int64_t column, const Matrix& region) const {
    for (const LinearWeights& one : linears) {
        const bool nf4 = one.nf4.codes != nullptr;
        const std::int64_t rows = nf4 ? one.nf4.rows : one.dense.rows, cols = nf4 ? one.nf4.cols : one.dense.cols;
        // What the part has of this one.
        const std::int64_t top = std::max(row, one.row), bottom = std::min(row + region.rows, one.row + rows);
        const std::int64_t left = std::max(column, one.column),
                           right = std::min(column + region.cols, one.column + cols);
        if (top >= bottom || left >= right) continue;
        const Matrix place = region.rowRange(top - row, bottom - top).columns(left - column, right - left);
        if (nf4)
            kernels::gpu::expandNf4(stream, one.nf4, top - one.row, left - one.column, place);
        else
            kernels::gpu::copyRows(
                stream, one.dense.rowRange(top - one.row, place.rows).columns(left - one.column, place.cols), place);
    }
}

std::uint64_t Weights::deviceBytes() const {
    std::uint64_t total = 0;
    const auto add = [&](const std::vector<Memory>& pieces) {
        for (const Memory& piece : pieces) total += piece.bytes();
    };
    add(memory);
    for (const BlockWeights& block : blocks) add(block.memory);
    return total;
}

}  // namespace studio::engine::gpu
