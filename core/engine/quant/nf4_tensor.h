// A matrix in NF4, exactly as bitsandbytes 0.50 quantises it on a CPU.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/kernels/memory.h"
#include "engine/kernels/nf4.h"

namespace studio::engine {

// Double quantisation of absmax values: less their mean (float32, at::mean), 8-bit codes in blocks of 256.
struct NestedScales {
    std::vector<std::uint8_t> absmax_codes;
    std::vector<float> nested_absmax, nested_code;
    float offset = 0;
};
Result<NestedScales> nestScales(std::vector<float> absmax);

class Nf4Tensor {
  public:
    // `values`: [rows, cols] row-major, finite. Blocks of 64 of the flattened matrix; the last may be shorter. Code:
    // the nearest to value·(1/absmax), the lower one at a tie. With `double_quant` the absmax values less their mean
    // (float32, at::mean) become 8-bit codes in blocks of 256.
    static Result<Nf4Tensor> quantise(std::span<const float> values, std::int64_t rows, std::int64_t cols,
                                      bool double_quant);

    struct Parts {
        std::int64_t rows = 0, cols = 0;
        std::vector<std::uint8_t> codes;         // ⌈rows·cols / 2⌉
        std::vector<float> absmax;               // one a block, or
        std::vector<std::uint8_t> absmax_codes;  // one a block, with
        std::vector<float> nested_code;          // 256
        std::vector<float> nested_absmax;        // one for 256 blocks
        float offset = 0;
    };
    // From a checkpoint that bitsandbytes wrote. Error where the lengths do not fit rows and cols.
    static Result<Nf4Tensor> fromParts(const Parts& parts);

    bool doubleQuantised() const { return view_.absmax == nullptr; }
    const kernels::Nf4View& view() const { return view_; }
    std::size_t bytes() const { return memory_.bytes(); }
    std::int64_t blocks() const { return (view_.rows * view_.cols + kernels::kNf4Block - 1) / kernels::kNf4Block; }

  private:
    kernels::Buffer memory_;
    kernels::Nf4View view_;
};

}  // namespace studio::engine
