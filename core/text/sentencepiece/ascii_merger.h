// The merges of a sentencepiece BPE on plain ASCII words, many times quicker than the library.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <string_view>
#include <vector>

#include "text/bpe/merge_table.h"
#include "text/bpe/word_merger.h"
#include "text/sentencepiece/piece_model.h"

namespace studio::text {

// The library merges the two neighbours whose joint piece has the highest score, of equal ones the leftmost: a merge of
// lowest rank. In a word of ASCII characters that are pieces themselves, characters are bytes and WordMerger does it.
class AsciiMerger {
  public:
    // Nothing where the model has unused pieces, which the library takes apart again, or overlong ones. `special`: by
    // id; those are never found in a text.
    static std::unique_ptr<const AsciiMerger> make(const std::vector<Piece>& pieces, const std::vector<bool>& special);

    AsciiMerger(const AsciiMerger&) = delete;
    AsciiMerger& operator=(const AsciiMerger&) = delete;

    // Whether append gives the library's pieces: every character is one, and none begins a user-defined piece.
    bool covers(std::string_view word) const;
    void append(std::string_view word, std::vector<int>& ids) const { merger_.append(word, ids); }

  private:
    AsciiMerger() : merger_(merges_, byte_ids_, lengths_) {}

    MergeTable merges_;
    std::array<int, 256> byte_ids_{};
    std::vector<int> lengths_;  // bytes of each piece
    std::bitset<256> covered_;
    WordMerger merger_;
};

}  // namespace studio::text
