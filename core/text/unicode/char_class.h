// The four kinds of characters that GPT-2's pattern tells apart.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace studio::text {

enum class CharClass : std::uint8_t { Other, Letter, Number, Space };

// \p{L}, \p{N} and White_Space of Unicode 16.0, the version that the tokenizers library 0.23 has. (utf8proc 2.8 and
// PCRE2 10.42 are older: the letters and numbers that came since are unassigned there, nothing else differs.)
// Two-stage table; blocks of 256 code points with equal content are stored once.
class CharClasses {
  public:
    CharClasses();
    CharClass of(char32_t code_point) const { return blocks_[block_of_[code_point >> 8 & 0x1FFF]][code_point & 0xFF]; }

  private:
    using Block = std::array<CharClass, 256>;
    std::array<std::uint16_t, 0x2000> block_of_{};  // larger than 0x110000 / 256, so that no value is out of range
    std::vector<Block> blocks_;
};

}  // namespace studio::text
