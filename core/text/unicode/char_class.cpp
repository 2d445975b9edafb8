#include "text/unicode/char_class.h"

#include <map>
#include <span>

namespace studio::text {
namespace {

struct CharRange {
    char32_t first, last;
};

#include "text/unicode/char_ranges.inc"

}  // namespace

CharClasses::CharClasses() {
    constexpr char32_t kEnd = 0x110000;
    std::vector<CharClass> all(kEnd, CharClass::Other);
    const auto mark = [&](std::span<const CharRange> ranges, CharClass value) {
        for (const CharRange& range : ranges)
            for (char32_t c = range.first; c <= range.last; ++c) all[c] = value;
    };
    mark(kLetterRanges, CharClass::Letter);
    mark(kNumberRanges, CharClass::Number);
    mark(kSpaceRanges, CharClass::Space);

    std::map<Block, std::uint16_t> known;
    blocks_.push_back(Block{});  // number 0: only Other, also for what lies beyond Unicode
    known.emplace(blocks_.front(), std::uint16_t{0});
    for (char32_t begin = 0; begin < kEnd; begin += 256) {
        Block block;
        for (char32_t i = 0; i < 256; ++i) block[i] = all[begin + i];
        const auto [entry, added] = known.emplace(block, static_cast<std::uint16_t>(blocks_.size()));
        if (added) blocks_.push_back(block);
        block_of_[begin >> 8] = entry->second;
    }
}

}  // namespace studio::text
