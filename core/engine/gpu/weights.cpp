#include "engine/gpu/weights.h"

#include "engine/kernels/nf4_cuda.h"
#include "engine/kernels/rows_cuda.h"

namespace studio::engine::gpu {

void LinearGroup::expand(Stream stream, const Matrix& region) const {
    expandPart(stream, 0, out, 0, in, region);
}

void LinearGroup::expandPart(Stream stream, std::int64_t row, std::int64_t row_end, std::int64_t column,
                             std::int64_t column_end, const Matrix& region) const {
    for (const LinearWeights& one : linears) {
        if (one.row < row || one.row >= row_end || one.column < column || one.column >= column_end) continue;
        const bool nf4 = one.nf4.codes != nullptr;
        const std::int64_t rows = nf4 ? one.nf4.rows : one.dense.rows, cols = nf4 ? one.nf4.cols : one.dense.cols;
        const Matrix place = region.rowRange(one.row - row, rows).columns(one.column - column, cols);
        if (nf4)
            kernels::gpu::expandNf4(stream, one.nf4, place);
        else
            kernels::gpu::copyRows(stream, one.dense, place);
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
