#include "engine/gpu/tensor_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/model/tensor_source.h"

namespace studio::engine::gpu {
namespace {

constexpr std::size_t kPiece = 16u << 20;

tl::unexpected<Error> notFinite(const std::string& name) {
    return fail(ErrorCode::Corrupt,
                fmt::format("The tensor \"{}\" of the checkpoint holds values that are not finite.", name),
                "The checkpoint is damaged; download it again.");
}

// All exponent bits set: infinite, or no number.
bool allFinite(const Matrix& values) {
    const std::int64_t count = values.rows * values.cols;
    if (values.element == kernels::Element::F32) {
        const auto* bits = static_cast<const std::uint32_t*>(values.data);
        return std::none_of(bits, bits + count, [](std::uint32_t b) { return (b & 0x7f800000u) == 0x7f800000u; });
    }
    const std::uint16_t mask = values.element == kernels::Element::F16 ? 0x7c00u : 0x7f80u;
    const auto* bits = static_cast<const std::uint16_t*>(values.data);
    return std::none_of(bits, bits + count, [mask](std::uint16_t b) { return (b & mask) == mask; });
}

}  // namespace

std::uint16_t toBfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return 0x7fc0;
    return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

Result<void> TensorUpload::open() {
    STUDIO_TRY(pieces_, Pinned::allocate(2 * kPiece));
    STUDIO_TRY(flag_, Pinned::allocate(sizeof(int)));
    *badFlag() = 0;
    return {};
}

Result<Matrix> TensorUpload::raw(const std::string& name, std::int64_t rows, std::int64_t cols) {
    const auto* entry = folder_.find(name);
    if (entry == nullptr) return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", name));
    const auto element = engine::elementOf(entry->tensor->dtype);
    const auto bytes = static_cast<std::size_t>(rows * cols * kernels::bytesOf(element));
    if (raw_.bytes() < bytes) {
        STUDIO_CHECK(kernels::gpu::finish(stream_));
        raw_ = {};
        STUDIO_TRY(raw_, Memory::allocate(bytes, stream_));
    }
    std::size_t half = 0;
    for (std::size_t at = 0; at < bytes; at += kPiece, half ^= 1) {
        if (progress_.stopped()) return cancelled();
        std::byte* piece = pieces_.data() + half * kPiece;
        const std::size_t size = std::min(kPiece, bytes - at);
        STUDIO_CHECK(entry->file->read(*entry->tensor, {piece, size}, at));
        STUDIO_CHECK(kernels::gpu::finish(stream_));  // the other half has arrived
        STUDIO_CHECK(kernels::gpu::copyToDevice(stream_, raw_.data() + at, piece, size));
        progress_.add(size);
    }
    STUDIO_CHECK(kernels::gpu::finish(stream_));
    return Matrix{raw_.data(), rows, cols, cols, element};
}

Result<void> TensorUpload::toHost(const std::string& name, const Matrix& into) {
    const auto* entry = folder_.find(name);
    if (entry == nullptr) return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", name));
    const auto bytes = static_cast<std::size_t>(into.rows * into.cols * kernels::bytesOf(into.element));
    for (std::size_t at = 0; at < bytes; at += kPiece) {
        if (progress_.stopped()) return cancelled();
        const std::size_t size = std::min(kPiece, bytes - at);
        STUDIO_CHECK(entry->file->read(*entry->tensor, {static_cast<std::byte*>(into.data) + at, size}, at));
        progress_.add(size);
    }
    return allFinite(into) ? Result<void>() : notFinite(name);
}

Result<void> TensorUpload::checkFinite(const std::string& name) {
    STUDIO_CHECK(kernels::gpu::finish(stream_));
    return *badFlag() == 0 ? Result<void>() : notFinite(name);
}

}  // namespace studio::engine::gpu
