// Models that ship tokenizer.model, through libsentencepiece.
#pragma once

#include <sentencepiece_processor.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "text/added_tokens.h"
#include "text/sentencepiece/ascii_merger.h"
#include "text/sentencepiece/borders.h"
#include "text/sentencepiece/piece_model.h"
#include "text/special_names.h"
#include "text/tokenizer.h"
#include "text/word_cache.h"

namespace studio::text {

// Where the model falls back to bytes and does not normalise, decode gives back what encode got, byte for byte. For
// that, ill-formed bytes and a literal U+2581, which the library would take for a space, are encoded as byte pieces.
// Special pieces are never found by encode, whatever kind of piece the file makes them.
class SentencePieceTokenizer final : public Tokenizer {
  public:
    static Result<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& file, const SpecialNames& names,
                                                         const std::vector<AddedToken>& added);

    using Tokenizer::encode;
    void encode(std::string_view text, std::vector<int>& ids) const override { append(text, false, ids); }
    void encodeWithSpecials(std::string_view text, std::vector<int>& ids) const override { append(text, true, ids); }
    std::string_view tokenBytes(int id) const override;
    int size() const override { return static_cast<int>(tokens_.size()); }
    int eos() const override { return eos_; }
    std::string_view eosText() const override { return tokens_[eos_]; }
    bool isSpecial(int id) const override { return id >= 0 && id < size() && special_[id]; }
    bool addsLeadingSpace() const override { return model_.add_dummy_prefix; }

  private:
    SentencePieceTokenizer() = default;
    Result<void> takePieces(const SpecialNames& names, const std::string& file);
    Result<void> takeAdded(const std::vector<AddedToken>& added, const SpecialNames& names, const std::string& file);
    Result<void> findEos(const SpecialNames& names, const std::string& file);
    Result<void> open(std::string bytes, const std::string& file);

    void append(std::string_view text, bool with_specials, std::vector<int>& ids) const;
    void appendPlain(std::string_view text, WordCache& cache, std::vector<int>& ids) const;
    void appendValid(std::string_view text, WordCache& cache, std::vector<int>& ids) const;
    void appendWords(std::string_view text, WordCache& cache, std::vector<int>& ids) const;
    void appendPieces(std::string_view text, std::vector<int>& ids) const;
    void appendBytes(std::string_view bytes, std::vector<int>& ids) const;

    PieceModel model_;
    sentencepiece::SentencePieceProcessor processor_;
    std::optional<PieceBorders> borders_;       // where each word may be looked up by itself
    std::unique_ptr<const AsciiMerger> ascii_;  // with borders_, for most words
    mutable WordCachePool caches_;
    bool prefix_here_ = false;         // the leading space is put here, not by the library
    std::vector<std::string> tokens_;  // bytes by id
    std::vector<bool> special_;        // by id
    std::vector<AddedToken> added_list_;
    AddedTokens added_;
    int eos_ = -1;
};

}  // namespace studio::text
