// Memory of the device, aligned so that the same shapes always meet the same code paths of the BLAS: results of one
// build and thread count are then the same in every process.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "engine/kernels/matrix.h"

namespace studio::engine::kernels {

inline constexpr std::size_t kAlignment = 64;

struct Release {
    void operator()(std::byte* memory) const noexcept;
};

// Zeroed bytes, aligned to kAlignment.
class Buffer {
  public:
    Buffer() = default;
    static Result<Buffer> allocate(std::size_t bytes);
    std::byte* data() const { return memory_.get(); }
    float* f32() const { return reinterpret_cast<float*>(memory_.get()); }
    std::size_t bytes() const { return bytes_; }

  private:
    std::unique_ptr<std::byte, Release> memory_;
    std::size_t bytes_ = 0;
};

// Bytes that can be allocated without swapping; 0 where the system does not say.
std::size_t availableMemory();

// Hands out consecutive pieces of one buffer. Without a base it only counts, so that the same code first measures a
// layout and then makes it.
class Arena {
  public:
    Arena() = default;
    explicit Arena(std::byte* base) : base_(base) {}
    void* take(std::size_t bytes);
    float* floats(std::size_t count) { return static_cast<float*>(take(count * sizeof(float))); }
    // Leading dimension rounded up to whole cache lines.
    Matrix matrix(std::int64_t rows, std::int64_t cols);
    std::size_t used() const { return used_; }

  private:
    std::byte* base_ = nullptr;
    std::size_t used_ = 0;
};

}  // namespace studio::engine::kernels
