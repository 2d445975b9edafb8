// Keys and values of one sequence, and attention that reads them.
#pragma once

#include <vector>

#include "engine/model/block.h"
#include "engine/model/phi_model.h"

namespace studio::engine {

class PhiKvCache final : public KvCache {
  public:
    static Result<std::unique_ptr<PhiKvCache>> make(int layers, std::int64_t kv, int capacity);

    int size() const noexcept override { return size_; }
    int capacity() const noexcept override { return capacity_; }
    void truncate(int size) noexcept override { size_ = size < 0 ? 0 : (size < size_ ? size : size_); }
    void setSize(int size) noexcept { size_ = size; }

    const kernels::Matrix& keys(int layer) const { return keys_[static_cast<std::size_t>(layer)]; }
    const kernels::Matrix& values(int layer) const { return values_[static_cast<std::size_t>(layer)]; }

  private:
    kernels::Buffer memory_;
    std::vector<kernels::Matrix> keys_, values_;  // [capacity, kv] a layer
    int size_ = 0, capacity_ = 0;
};

// New rows at `begin` of the cache: their keys are appended, and they see all before them.
class CachedKeys final : public KeySource {
  public:
    CachedKeys(const PhiKvCache& cache, int begin, int count);
    std::span<const int> positions() const override { return positions_; }
    Result<void> attend(kernels::Stream stream, const kernels::AttentionShape& shape, int layer,
                        const AttentionRows& rows) override;

  private:
    const PhiKvCache& cache_;
    int begin_, count_;
    std::vector<int> positions_, cu_q_, cu_k_;
};

// One new row at the end of each of several caches.
class EndOfEach final : public KeySource {
  public:
    explicit EndOfEach(std::span<PhiKvCache* const> caches);
    std::span<const int> positions() const override { return positions_; }
    Result<void> attend(kernels::Stream stream, const kernels::AttentionShape& shape, int layer,
                        const AttentionRows& rows) override;

  private:
    std::vector<CachedKeys> ends_;
    std::vector<int> positions_;
};

}  // namespace studio::engine
