#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "engine/kernels/memory.h"

namespace studio::engine::kernels {
namespace {

constexpr std::size_t kHugePage = 2u << 20, kAskFirst = 32u << 20;

std::size_t roundUp(std::size_t value, std::size_t unit) {
    return (value + unit - 1) / unit * unit;
}

Error notEnough(std::size_t bytes) {
    return {ErrorCode::OutOfMemory, "There is not enough memory for " + std::to_string(bytes >> 20) + " MB more.",
            "Close other programs, or use a smaller batch, a shorter sequence or a smaller model."};
}

}  // namespace

void Release::operator()(std::byte* memory) const noexcept {
    std::free(memory);
}

Result<Buffer> Buffer::allocate(std::size_t bytes) {
    Buffer buffer;
    if (bytes == 0) return buffer;
    const bool large = bytes >= 2 * kHugePage;
    // The system grants more than there is and kills the process when it is used, so ask first.
    const std::size_t available = bytes >= kAskFirst ? availableMemory() : 0;
    if (available > 0 && bytes > available) return fail(notEnough(bytes));
    const std::size_t alignment = large ? kHugePage : kAlignment;
    void* memory = std::aligned_alloc(alignment, roundUp(bytes, alignment));
    if (memory == nullptr) return fail(notEnough(bytes));
    if (large) madvise(memory, roundUp(bytes, alignment), MADV_HUGEPAGE);  // advice: failing costs only time
    std::memset(memory, 0, bytes);
    buffer.memory_.reset(static_cast<std::byte*>(memory));
    buffer.bytes_ = bytes;
    return buffer;
}

namespace {

// The number behind a word in a file of words and numbers; nothing where there is none.
std::optional<std::size_t> numberBehind(const char* path, std::string_view word) {
    std::ifstream file(path);
    std::string key;
    std::size_t number = 0;
    while (file >> key) {
        if (key == word && file >> number) return number;
        file.ignore(256, '\n');
    }
    return std::nullopt;
}

// What a container's limit (cgroup v2) leaves; caches of files can be given up.
std::optional<std::size_t> leftOfLimit() {
    std::size_t limit = 0, used = 0;
    std::ifstream max("/sys/fs/cgroup/memory.max"), current("/sys/fs/cgroup/memory.current");
    if (!(max >> limit) || !(current >> used)) return std::nullopt;
    used -= std::min(used, numberBehind("/sys/fs/cgroup/memory.stat", "inactive_file").value_or(0));
    return limit > used ? limit - used : 1;
}

}  // namespace

std::size_t availableMemory() {
    const std::size_t free = numberBehind("/proc/meminfo", "MemAvailable:").value_or(0) * 1024;
    const auto left = leftOfLimit();
    return left && (free == 0 || *left < free) ? *left : free;
}

void* Arena::take(std::size_t bytes) {
    void* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += roundUp(bytes, kAlignment);
    return piece;
}

Matrix Arena::matrix(std::int64_t rows, std::int64_t cols) {
    const std::int64_t ld = (cols + 15) / 16 * 16;
    return {floats(static_cast<std::size_t>(rows * ld)), rows, cols, ld, Element::F32};
}

}  // namespace studio::engine::kernels
