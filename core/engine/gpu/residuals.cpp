#include "engine/gpu/residuals.h"

#include <fmt/format.h>

#include "engine/gpu/workspace.h"
#include "engine/kernels/memory.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;
using kernels::Matrix;
using kernels::Stream;

namespace {

std::size_t bytesOf(const Matrix& x) {
    return static_cast<std::size_t>(x.rows * x.cols) * 2;
}

}  // namespace

Result<void> Residuals::reserve(int card, std::size_t bytes) {
    if (bytes <= memory_.bytes()) return {};
    release();
    if (const std::size_t available = kernels::availableMemory(); !hostHasRoom(bytes, available))
        return fail(ErrorCode::OutOfMemory,
                    fmt::format("{} MB of the computer's own memory are wanted, which is more than half of the {} MB "
                                "that are available.",
                                bytes >> 20, available >> 20),
                    "Close other programs.");
    if (copies_ == nullptr) {
        STUDIO_TRY(copies_, k::openStream(card));
    }
    STUDIO_TRY(memory_, k::Pinned::allocate(bytes));
    return {};
}

void Residuals::release() noexcept {
    (void)finish();
    memory_ = {};
}

Result<void> Residuals::finish() const {
    return copies_ == nullptr ? Result<void>() : k::finish(copies_);
}

// Batches differ in their rows, so a layer's place depends on the batch.
std::byte* Residuals::place(int layer, const Matrix& x) const {
    return memory_.data() + static_cast<std::size_t>(layer) * bytesOf(x);
}

Result<void> Residuals::beforeWriting(int layer, Stream compute) const {
    return settled_[layer % 2].delay(compute);
}

Result<void> Residuals::save(int layer, const Matrix& x, Stream compute) {
    STUDIO_CHECK(ready_.record(compute));
    STUDIO_CHECK(ready_.delay(copies_));
    STUDIO_CHECK(k::copyToHost(copies_, place(layer, x), x.data, bytesOf(x)));
    return settled_[layer % 2].record(copies_);
}

Result<void> Residuals::fetch(int layer, const Matrix& x, Stream compute) {
    STUDIO_CHECK(ready_.record(compute));
    STUDIO_CHECK(ready_.delay(copies_));
    STUDIO_CHECK(k::copyToDevice(copies_, x.data, place(layer, x), bytesOf(x)));
    return settled_[layer % 2].record(copies_);
}

}  // namespace studio::engine::gpu
