#include "engine/model/base_weights.h"

#include <algorithm>

#include "engine/kernels/gemm.h"
#include "engine/kernels/rows.h"

namespace studio::engine {

using kernels::Matrix;

Result<LinearGroup> LinearGroup::makeResident(std::int64_t out, std::int64_t in) {
    LinearGroup group = makeStored(out, in);
    STUDIO_TRY(group.memory_, kernels::Buffer::allocate(group.view(nullptr).ld * out * sizeof(float)));
    group.resident_ = group.view(group.memory_.f32());
    return group;
}

LinearGroup LinearGroup::makeStored(std::int64_t out, std::int64_t in) {
    LinearGroup group;
    group.out_ = out;
    group.in_ = in;
    return group;
}

void LinearGroup::add(StoredMatrix linear, std::int64_t row, std::int64_t column) {
    parts_.push_back({std::move(linear), row, column});
}

Matrix LinearGroup::view(float* data) const {
    return kernels::matrix(data, out_, in_, (in_ + 15) / 16 * 16);
}

Matrix LinearGroup::expand(kernels::Stream stream, float* workspace) const {
    if (isResident()) return resident_;
    const Matrix whole = view(workspace);
    for (const Part& part : parts_) {
        const auto place = [&](std::int64_t rows, std::int64_t cols) {
            return whole.rowRange(part.row, rows).columns(part.column, cols);
        };
        if (const auto* nf4 = std::get_if<Nf4Tensor>(&part.linear))
            kernels::dequantiseNf4(stream, nf4->view(), place(nf4->view().rows, nf4->view().cols));
        else {
            const Matrix& dense = std::get<DenseTensor>(part.linear).matrix;
            kernels::widen(stream, dense, place(dense.rows, dense.cols));
        }
    }
    return whole;
}

void LinearGroup::addProduct(kernels::Stream stream, const Matrix& x, float* workspace, const Matrix& out) const {
    const bool nf4 = !isResident() && std::all_of(parts_.begin(), parts_.end(), [](const Part& part) {
        return std::holds_alternative<Nf4Tensor>(part.linear);
    });
    if (!nf4 || x.rows > kernels::kFewRows)
        return kernels::gemm(stream, kernels::Op::Plain, kernels::Op::Transposed, 1, x, expand(stream, workspace), 1,
                             out);
    for (const Part& part : parts_) {
        const kernels::Nf4View& weights = std::get<Nf4Tensor>(part.linear).view();
        kernels::addNf4Product(stream, weights, x.columns(part.column, weights.cols),
                               out.columns(part.row, weights.rows));
    }
}

std::size_t LinearGroup::workspaceFloats() const {
    return isResident() ? 0 : static_cast<std::size_t>(view(nullptr).ld * out_);
}

std::uint64_t LinearGroup::bytes() const {
    std::uint64_t total = memory_.bytes();
    for (const Part& part : parts_) {
        const auto* nf4 = std::get_if<Nf4Tensor>(&part.linear);
        total += nf4 != nullptr ? nf4->bytes() : std::get<DenseTensor>(part.linear).memory.bytes();
    }
    return total;
}

std::size_t BaseWeights::workspaceFloats() const {
    std::size_t most = 0;
    for (const BlockWeights& block : blocks)
        most = std::max({most, block.input.workspaceFloats(), block.output.workspaceFloats()});
    return most;
}

std::uint64_t BaseWeights::bytes() const {
    std::uint64_t total = embedding.memory.bytes() + head.memory.bytes() + small.bytes();
    for (const BlockWeights& block : blocks) total += block.small.bytes() + block.input.bytes() + block.output.bytes();
    return total;
}

std::int64_t BlockShape::in(Linear linear) const {
    switch (linear) {
        case Linear::Dense:
            return q;
        case Linear::Fc2:
            return intermediate;
        default:
            return hidden;
    }
}

std::int64_t BlockShape::out(Linear linear) const {
    switch (linear) {
        case Linear::Q:
            return q;
        case Linear::K:
        case Linear::V:
            return kv;
        case Linear::Fc1:
            return intermediate;
        default:
            return hidden;
    }
}

std::int64_t BlockShape::begin(Linear linear) const {
    switch (linear) {
        case Linear::K:
            return q;
        case Linear::V:
            return q + kv;
        case Linear::Fc1:
            return q + 2 * kv;
        case Linear::Fc2:
            return q;
        default:
            return 0;
    }
}

}  // namespace studio::engine
