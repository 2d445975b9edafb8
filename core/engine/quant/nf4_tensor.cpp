#include "engine/quant/nf4_tensor.h"

#include <cstring>

#include "engine/kernels/mean.h"
#include "engine/quant/dynamic_map.h"
#include "engine/quant/quantise_blocks.h"

namespace studio::engine {
namespace {

template <class T>
const T* place(kernels::Arena& arena, const std::vector<T>& values) {
    auto* to = static_cast<T*>(arena.take(values.size() * sizeof(T)));
    if (to != nullptr && !values.empty()) std::memcpy(to, values.data(), values.size() * sizeof(T));
    return values.empty() ? nullptr : to;
}

kernels::Nf4View layOut(kernels::Arena& arena, const Nf4Tensor::Parts& parts) {
    kernels::Nf4View view;
    view.rows = parts.rows;
    view.cols = parts.cols;
    view.codes = place(arena, parts.codes);
    view.absmax = place(arena, parts.absmax);
    view.absmax_codes = place(arena, parts.absmax_codes);
    view.nested_code = place(arena, parts.nested_code);
    view.nested_absmax = place(arena, parts.nested_absmax);
    view.offset = parts.offset;
    return view;
}

}  // namespace

Result<NestedScales> nestScales(std::vector<float> absmax) {
    NestedScales nested;
    STUDIO_TRY(nested.offset, kernels::mean(absmax.data(), static_cast<std::int64_t>(absmax.size())));
    for (float& value : absmax) value -= nested.offset;
    const auto map = dynamicMap();
    auto coded = quantiseDynamic(absmax, map);
    nested.absmax_codes = std::move(coded.codes);
    nested.nested_absmax = std::move(coded.absmax);
    nested.nested_code.assign(map.begin(), map.end());
    return nested;
}

Result<Nf4Tensor> Nf4Tensor::quantise(std::span<const float> values, std::int64_t rows, std::int64_t cols,
                                      bool double_quant) {
    if (rows <= 0 || cols <= 0 || static_cast<std::int64_t>(values.size()) != rows * cols)
        return fail(ErrorCode::InvalidArgument,
                    "A matrix to quantise has no elements or a shape that does not fit them.");
    auto blocks = quantiseNf4(values);
    Parts parts{rows, cols, std::move(blocks.codes), {}, {}, {}, {}, 0};
    if (!double_quant) {
        parts.absmax = std::move(blocks.absmax);
        return fromParts(parts);
    }
    STUDIO_TRY(auto nested, nestScales(std::move(blocks.absmax)));
    parts.absmax_codes = std::move(nested.absmax_codes);
    parts.nested_absmax = std::move(nested.nested_absmax);
    parts.nested_code = std::move(nested.nested_code);
    parts.offset = nested.offset;
    return fromParts(parts);
}

Result<Nf4Tensor> Nf4Tensor::fromParts(const Parts& parts) {
    const auto count = static_cast<std::size_t>(parts.rows * parts.cols);
    const std::size_t blocks = (count + kernels::kNf4Block - 1) / kernels::kNf4Block;
    const bool nested = !parts.absmax_codes.empty();
    const bool fits =
        parts.rows > 0 && parts.cols > 0 && parts.codes.size() == (count + 1) / 2 &&
        (nested ? parts.absmax.empty() && parts.absmax_codes.size() == blocks && parts.nested_code.size() == 256 &&
                      parts.nested_absmax.size() == (blocks + kernels::kNestedBlock - 1) / kernels::kNestedBlock
                : parts.absmax.size() == blocks);
    if (!fits)
        return fail(ErrorCode::Corrupt, "The parts of a 4-bit matrix do not fit its shape.",
                    "Save the checkpoint again, or use one that is not quantised.");
    kernels::Arena measure;
    layOut(measure, parts);
    Nf4Tensor tensor;
    STUDIO_TRY(tensor.memory_, kernels::Buffer::allocate(measure.used()));
    kernels::Arena arena(tensor.memory_.data());
    tensor.view_ = layOut(arena, parts);
    return tensor;
}

}  // namespace studio::engine
