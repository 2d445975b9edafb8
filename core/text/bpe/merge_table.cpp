#include "text/bpe/merge_table.h"

#include <bit>

namespace studio::text {

MergeTable::MergeTable(std::size_t expected_merges)
    : slots_(std::bit_ceil(2 * expected_merges + 2)), mask_(slots_.size() - 1) {}

MergeTable::Added MergeTable::add(int left, int right, Merge merge) {
    // With keys that are not made for it, a probe of this length does not happen in the life of the universe.
    constexpr int kLongestProbe = 2000;
    const std::uint64_t key = keyOf(left, right);
    std::size_t at = home(key);
    for (int probe = 0; probe < kLongestProbe; ++probe, at = (at + 1) & mask_) {
        if (slots_[at].key == key) return Added::AlreadyThere;
        if (slots_[at].key == kEmpty) {
            slots_[at] = {key, merge};
            return Added::Yes;
        }
    }
    return Added::Crowded;
}

}  // namespace studio::text
