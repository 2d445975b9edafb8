// The frozen weights as they lie on the GPU: linears in NF4 or bf16, expanded into a workspace before each product; the
// head in bf16; the embedding in pinned memory of the host, since a step reads only one row of it a token.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/kernels/gpu.h"
#include "engine/kernels/nf4.h"
#include "engine/model/base_weights.h"

namespace studio::engine::gpu {

using kernels::Matrix;
using kernels::Stream;
using kernels::gpu::Memory;
using kernels::gpu::Pinned;

inline Matrix bf16Matrix(void* data, std::int64_t rows, std::int64_t cols, std::int64_t ld) {
    return {data, rows, cols, ld, kernels::Element::BF16};
}

// One linear of a group; exactly one of the two is set.
struct LinearWeights {
    Linear linear = Linear::Q;
    kernels::Nf4View nf4;  // codes are null for a dense one
    Matrix dense;
    std::int64_t row = 0, column = 0;  // where its first element stands in the group
};

// Linears stacked (same input) or side by side (same output): [out, in].
struct LinearGroup {
    std::int64_t out = 0, in = 0;
    std::vector<LinearWeights> linears;

    // Into the top left [out, in] of `region`, bf16.
    void expand(Stream stream, const Matrix& region) const;
    // The part that begins at (row, column) and is as large as `region`; `column` a multiple of 8.
    void expandPart(Stream stream, std::int64_t row, std::int64_t column, const Matrix& region) const;
};

struct BlockWeights {
    std::vector<Memory> memory;
    LinearGroup input, output;
    float *norm_weight = nullptr, *norm_bias = nullptr;
    // bf16. output_bias: dense_bias + fc2_bias.
    void *input_bias = nullptr, *dense_bias = nullptr, *fc2_bias = nullptr, *output_bias = nullptr;
};

struct Weights {
    Pinned embedding_memory;
    Matrix embedding;  // [vocab, hidden], in the type of the checkpoint
    std::vector<Memory> memory;
    Matrix head;                // [vocab, hidden]
    void* head_bias = nullptr;  // bf16
    float *norm_weight = nullptr, *norm_bias = nullptr;
    std::vector<BlockWeights> blocks;

    std::uint64_t deviceBytes() const;
};

}  // namespace studio::engine::gpu
