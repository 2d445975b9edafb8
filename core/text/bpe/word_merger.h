// Byte-pair encoding of one word.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "text/bpe/merge_table.h"

namespace studio::text {

// Starts with one token a byte and, as long as there is one, applies the merge of lowest rank, of equal ones the
// leftmost (Sennrich et al. 2016; the order of the tokenizers library).
class WordMerger {
  public:
    // `byte_ids`: the token of each byte. `lengths`: bytes of each token by id; a merge's token is as long as its two
    // halves together.
    WordMerger(const MergeTable& merges, const std::array<int, 256>& byte_ids, const std::vector<int>& lengths)
        : merges_(merges), byte_ids_(byte_ids), lengths_(lengths) {}

    // Appends the tokens of `word`. Quadratic in short words, which are nearly all; O(n log n) in long ones.
    void append(std::string_view word, std::vector<int>& ids) const;

  private:
    void appendShort(std::string_view word, std::vector<int>& ids) const;
    void appendLong(std::string_view word, std::vector<int>& ids) const;

    const MergeTable& merges_;
    const std::array<int, 256>& byte_ids_;
    const std::vector<int>& lengths_;
};

}  // namespace studio::text
