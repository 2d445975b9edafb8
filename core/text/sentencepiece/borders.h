// Where a text can be cut without changing its pieces.
#pragma once

#include <bitset>
#include <string_view>
#include <vector>

#include "text/sentencepiece/piece_model.h"

namespace studio::text {

// Two neighbouring ASCII characters that stand side by side in no piece can never be of one piece: whatever a BPE
// merges on one side of them has no influence on the other. (Not so for unigram models, whose float sums run through a
// text.)
class PieceBorders {
  public:
    explicit PieceBorders(const std::vector<Piece>& pieces);

    // Bytes of `text`, which is not empty, up to its first border.
    std::size_t firstPart(std::string_view text) const;

  private:
    static std::size_t pair(std::uint8_t a, std::uint8_t b) { return a * std::size_t{128} + b; }
    std::bitset<128 * 128> together_;
};

}  // namespace studio::text
