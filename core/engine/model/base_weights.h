// The frozen weights of the model as they are held in memory.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "engine/kernels/memory.h"
#include "engine/quant/nf4_tensor.h"

namespace studio::engine {

// The six linears of a block. The first four read the normalised input, the last two write to the residual stream.
enum class Linear { Q, K, V, Fc1, Dense, Fc2 };
inline constexpr int kLinears = 6;

// A matrix in 16- or 32-bit floats.
struct DenseTensor {
    kernels::Buffer memory;
    kernels::Matrix matrix;
};

using StoredMatrix = std::variant<DenseTensor, Nf4Tensor>;

// Several linears as one matrix [out, in], stacked (same input) or side by side (same output). Held in float32, or as
// the checkpoint has them (or in NF4) and expanded into a workspace right before each product.
class LinearGroup {
  public:
    // Room for the whole group in float32, to be filled through resident().
    static Result<LinearGroup> makeResident(std::int64_t out, std::int64_t in);
    static LinearGroup makeStored(std::int64_t out, std::int64_t in);

    bool isResident() const { return resident_.data != nullptr; }
    const kernels::Matrix& resident() const { return resident_; }
    // A linear whose first element stands at [row, column] of the group.
    void add(StoredMatrix linear, std::int64_t row, std::int64_t column);

    // The group in float32; `workspace` (at least workspaceFloats()) is used unless it is resident.
    kernels::Matrix expand(kernels::Stream stream, float* workspace) const;
    // out += x · Wᵀ. A few rows (a decoded token) go through NF4 without expanding it.
    void addProduct(kernels::Stream stream, const kernels::Matrix& x, float* workspace,
                    const kernels::Matrix& out) const;
    std::size_t workspaceFloats() const;
    std::uint64_t bytes() const;

  private:
    struct Part {
        StoredMatrix linear;
        std::int64_t row = 0, column = 0;
    };
    kernels::Matrix view(float* data) const;

    std::int64_t out_ = 0, in_ = 0;
    kernels::Buffer memory_;
    kernels::Matrix resident_;
    std::vector<Part> parts_;
};

struct BlockWeights {
    kernels::Buffer small;  // the vectors below
    float *norm_weight = nullptr, *norm_bias = nullptr;
    float* input_bias = nullptr;                                               // of q | k | v | fc1
    float *dense_bias = nullptr, *fc2_bias = nullptr, *output_bias = nullptr;  // output_bias: their sum
    LinearGroup input;   // q, k, v, fc1 stacked: [q + 2 kv + intermediate, hidden]
    LinearGroup output;  // dense | fc2 side by side: [hidden, q + intermediate]
};

struct BaseWeights {
    DenseTensor embedding;  // [vocab, hidden], as the checkpoint has it
    DenseTensor head;       // [vocab, hidden], float32
    kernels::Buffer small;
    float *head_bias = nullptr, *norm_weight = nullptr, *norm_bias = nullptr;
    std::vector<BlockWeights> blocks;

    std::size_t workspaceFloats() const;
    std::uint64_t bytes() const;
};

// Widths of a block and where each linear stands in its group.
struct BlockShape {
    std::int64_t hidden = 0, q = 0, kv = 0, intermediate = 0;

    std::int64_t inputOut() const { return q + 2 * kv + intermediate; }
    std::int64_t outputIn() const { return q + intermediate; }
    std::int64_t in(Linear linear) const;
    std::int64_t out(Linear linear) const;
    std::int64_t begin(Linear linear) const;  // row of the input group, column of the output group
};

}  // namespace studio::engine
