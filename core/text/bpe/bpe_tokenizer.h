// Byte-level BPE as GPT-2 and phi-2 use it.
#pragma once

#include "text/bpe/bpe_model.h"
#include "text/bpe/word_merger.h"
#include "text/tokenizer.h"
#include "text/unicode/char_class.h"
#include "text/word_cache.h"

namespace studio::text {

// Text is cut at added tokens, then into words (WordSplitter), then each word is merged by itself.
class BpeTokenizer final : public Tokenizer {
  public:
    explicit BpeTokenizer(BpeModel model);
    BpeTokenizer(const BpeTokenizer&) = delete;
    BpeTokenizer& operator=(const BpeTokenizer&) = delete;

    using Tokenizer::encode;
    void encode(std::string_view text, std::vector<int>& ids) const override { append(text, false, ids); }
    void encodeWithSpecials(std::string_view text, std::vector<int>& ids) const override { append(text, true, ids); }
    std::string_view tokenBytes(int id) const override;
    int size() const override { return static_cast<int>(model_.tokens.size()); }
    int eos() const override { return model_.eos; }
    std::string_view eosText() const override { return model_.tokens[model_.eos]; }
    bool isSpecial(int id) const override { return id >= 0 && id < size() && model_.special[id]; }

  private:
    void append(std::string_view text, bool with_specials, std::vector<int>& ids) const;
    void appendPlain(std::string_view text, WordCache& cache, std::vector<int>& ids) const;

    const BpeModel model_;
    const std::vector<int> lengths_;  // bytes of each token
    const AddedTokens added_;
    const CharClasses classes_;
    const WordMerger merger_;
    mutable WordCachePool caches_;
};

}  // namespace studio::text
