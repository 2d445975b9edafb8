#include "engine/kernels/nf4.h"

#include "engine/kernels/parallel.h"

namespace studio::engine::kernels {
namespace {

float scaleOf(const Nf4View& weights, std::int64_t block) {
    if (weights.absmax != nullptr) return weights.absmax[block];
    const float nested = weights.nested_code[weights.absmax_codes[block]] * weights.nested_absmax[block / kNestedBlock];
    return nested + weights.offset;
}

// Weights [begin, end) of the flattened matrix, all in one block.
void expand(const std::uint8_t* codes, std::int64_t begin, std::int64_t end, float scale, float* out) {
    float table[16];
    for (int i = 0; i < 16; ++i) table[i] = kNf4Code[i] * scale;
    std::int64_t at = begin;
    if (at % 2 != 0 && at < end) *out++ = table[codes[at++ / 2] & 15];
    for (; at + 1 < end; at += 2, out += 2) {
        const std::uint8_t pair = codes[at / 2];
        out[0] = table[pair >> 4];
        out[1] = table[pair & 15];
    }
    if (at < end) *out = table[codes[at / 2] >> 4];
}

}  // namespace

void dequantiseNf4(Stream, const Nf4View& weights, const Matrix& out) {
    parallelFor(weights.rows, 16, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            const std::int64_t row_begin = i * weights.cols, row_end = row_begin + weights.cols;
            for (std::int64_t at = row_begin; at < row_end;) {
                const std::int64_t block = at / kNf4Block;
                const std::int64_t end = (block + 1) * kNf4Block < row_end ? (block + 1) * kNf4Block : row_end;
                expand(weights.codes, at, end, scaleOf(weights, block), out.row(i) + (at - row_begin));
                at = end;
            }
        }
    });
}

}  // namespace studio::engine::kernels
