#include "engine/model/kv_cache.h"

#include <numeric>

#include "engine/kernels/rows.h"

namespace studio::engine {

Result<std::unique_ptr<PhiKvCache>> PhiKvCache::make(int layers, std::int64_t kv, int capacity) {
    auto cache = std::make_unique<PhiKvCache>();
    cache->capacity_ = capacity;
    const auto layOut = [&](kernels::Arena arena) {
        cache->keys_.clear();
        cache->values_.clear();
        for (int layer = 0; layer < layers; ++layer) {
            cache->keys_.push_back(arena.matrix(capacity, kv));
            cache->values_.push_back(arena.matrix(capacity, kv));
        }
        return arena.used();
    };
    STUDIO_TRY(cache->memory_, kernels::Buffer::allocate(layOut(kernels::Arena{})));
    layOut(kernels::Arena(cache->memory_.data()));
    return cache;
}

CachedKeys::CachedKeys(const PhiKvCache& cache, int begin, int count)
    : cache_(cache),
      begin_(begin),
      count_(count),
      positions_(static_cast<std::size_t>(count)),
      cu_q_{0, count},
      cu_k_{0, begin + count} {
    std::iota(positions_.begin(), positions_.end(), begin);
}

Result<void> CachedKeys::attend(kernels::Stream stream, const kernels::AttentionShape& shape, int layer,
                                const AttentionRows& rows) {
    const kernels::Matrix &k = cache_.keys(layer), &v = cache_.values(layer);
    kernels::copyRows(stream, rows.k, k.rowRange(begin_, count_));
    kernels::copyRows(stream, rows.v, v.rowRange(begin_, count_));
    return kernels::attention(stream, shape, {cu_q_, cu_k_}, rows.q, k.top(begin_ + count_), v.top(begin_ + count_),
                              rows.out, rows.lse);
}

EndOfEach::EndOfEach(std::span<PhiKvCache* const> caches) {
    for (const PhiKvCache* cache : caches) {
        ends_.emplace_back(*cache, cache->size(), 1);
        positions_.push_back(cache->size());
    }
}

Result<void> EndOfEach::attend(kernels::Stream stream, const kernels::AttentionShape& shape, int layer,
                               const AttentionRows& rows) {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        STUDIO_CHECK(ends_[i].attend(stream, shape, layer,
                                     {rows.q.rowRange(at, 1), rows.k.rowRange(at, 1), rows.v.rowRange(at, 1),
                                      rows.out.rowRange(at, 1), rows.lse.rowRange(at, 1)}));
    }
    return {};
}

}  // namespace studio::engine
