// The merges of a byte-pair encoding: which two neighbours become one token, and in which order of preference.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace studio::text {

struct Merge {
    static constexpr std::uint32_t kNoRank = UINT32_MAX;
    std::uint32_t rank = kNoRank;  // lowest first
    int token = -1;                // what the pair becomes
    bool exists() const { return rank != kNoRank; }
};

// Flat hash table with open addressing, at most half full.
class MergeTable {
  public:
    enum class Added { Yes, AlreadyThere, Crowded };  // Crowded: keys made to collide; the table would become slow

    explicit MergeTable(std::size_t expected_merges = 0);

    // At most `expected_merges` times.
    Added add(int left, int right, Merge merge);

    Merge find(int left, int right) const {
        const std::uint64_t key = keyOf(left, right);
        for (std::size_t at = home(key);; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.key == key) return slot.merge;
            if (slot.key == kEmpty) return {};
        }
    }

  private:
    struct Slot {
        std::uint64_t key = kEmpty;
        Merge merge;
    };
    static constexpr std::uint64_t kEmpty = UINT64_MAX;

    static std::uint64_t keyOf(int left, int right) {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    }
    std::size_t home(std::uint64_t key) const {
        key *= 0x9E3779B97F4A7C15u;
        return (key ^ key >> 32) & mask_;
    }

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
};

}  // namespace studio::text
