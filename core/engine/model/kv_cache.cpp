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

KeysAndValues CachedKeys::keys(const PassOptions& pass, int layer, const kernels::Matrix& own_k,
                               const kernels::Matrix& own_v) {
    const kernels::Matrix &k = cache_.keys(layer), &v = cache_.values(layer);
    kernels::copyRows(pass.stream, own_k, k.rowRange(begin_, count_));
    kernels::copyRows(pass.stream, own_v, v.rowRange(begin_, count_));
    return {k.top(begin_ + count_), v.top(begin_ + count_), {cu_q_, cu_k_}};
}

}  // namespace studio::engine
