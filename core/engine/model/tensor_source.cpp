#include "engine/model/tensor_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/kernels/rows.h"

namespace studio::engine {

using kernels::Matrix;

namespace {

constexpr std::uint64_t kPieceBytes = 16u << 20;

bool allFinite(const Matrix& values) {
    std::uint32_t bad = 0;
    for (std::int64_t i = 0; i < values.rows; ++i) {
        const float* row = values.row(i);
        for (std::int64_t j = 0; j < values.cols; ++j)
            bad |= (std::bit_cast<std::uint32_t>(row[j]) & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
    }
    return bad == 0;
}

tl::unexpected<Error> notFinite(const std::string& name) {
    return fail(ErrorCode::Corrupt,
                fmt::format("The tensor \"{}\" of the checkpoint holds values that are not finite.", name),
                "The checkpoint is damaged; download it again.");
}

}  // namespace

kernels::Element elementOf(io::DType type) {
    switch (type) {
        case io::DType::F16:
            return kernels::Element::F16;
        case io::DType::BF16:
            return kernels::Element::BF16;
        default:
            return kernels::Element::F32;
    }
}

Result<void> TensorSource::read(const std::string& name, std::int64_t rows, std::int64_t cols, const Use& use) {
    const auto* entry = folder_.find(name);
    if (entry == nullptr) return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", name));
    const kernels::Element element = elementOf(entry->tensor->dtype);
    const auto row_bytes = static_cast<std::uint64_t>(cols * kernels::bytesOf(element));
    const std::int64_t at_once = std::max<std::int64_t>(1, static_cast<std::int64_t>(kPieceBytes / row_bytes));
    for (std::int64_t row = 0; row < rows; row += at_once) {
        if (progress_.stopped()) return cancelled();
        const std::int64_t count = std::min(at_once, rows - row);
        piece_.resize(static_cast<std::uint64_t>(count) * row_bytes);
        STUDIO_CHECK(entry->file->read(*entry->tensor, piece_, static_cast<std::uint64_t>(row) * row_bytes));
        use(row, {piece_.data(), count, cols, cols, element});
        progress_.add(piece_.size());
    }
    return {};
}

Result<void> TensorSource::floats(const std::string& name, const Matrix& into) {
    bool finite = true;
    STUDIO_CHECK(read(name, into.rows, into.cols, [&](std::int64_t row, const Matrix& piece) {
        const Matrix to = into.rowRange(row, piece.rows);
        kernels::widen(nullptr, piece, to);
        finite = finite && allFinite(to);
    }));
    return finite ? Result<void>() : notFinite(name);
}

Result<DenseTensor> TensorSource::asStored(const std::string& name, std::int64_t rows, std::int64_t cols) {
    const auto* entry = folder_.find(name);
    if (entry == nullptr) return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", name));
    const kernels::Element element = elementOf(entry->tensor->dtype);
    const std::int64_t row_bytes = cols * kernels::bytesOf(element);
    DenseTensor tensor;
    STUDIO_TRY(tensor.memory, kernels::Buffer::allocate(static_cast<std::size_t>(rows * row_bytes)));
    tensor.matrix = {tensor.memory.data(), rows, cols, cols, element};
    bool finite = true;
    STUDIO_CHECK(read(name, rows, cols, [&](std::int64_t row, const Matrix& piece) {
        std::memcpy(tensor.memory.data() + row * row_bytes, piece.data,
                    static_cast<std::size_t>(piece.rows * row_bytes));
        widened_.resize(static_cast<std::size_t>(piece.rows * cols));
        const Matrix check = kernels::matrix(widened_.data(), piece.rows, cols);
        kernels::widen(nullptr, piece, check);
        finite = finite && allFinite(check);
    }));
    if (!finite) return notFinite(name);
    return tensor;
}

Result<std::vector<std::byte>> TensorSource::bytes(const std::string& name) {
    const auto* entry = folder_.find(name);
    if (entry == nullptr) return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", name));
    if (progress_.stopped()) return cancelled();
    progress_.add(entry->tensor->bytes());
    return entry->file->read(*entry->tensor);
}

}  // namespace studio::engine
