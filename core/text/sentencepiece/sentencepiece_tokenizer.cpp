#include "text/sentencepiece/sentencepiece_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/file.h"
#include "text/limits.h"
#include "text/messages.h"
#include "text/utf8.h"

namespace studio::text {
namespace {

constexpr std::string_view kSpaceSign = "\u2581";

std::string bytesOf(const Piece& piece, int byte) {
    if (piece.type == PieceType::Byte) return std::string(1, static_cast<char>(byte));
    if (piece.type == PieceType::Control || piece.type == PieceType::Unknown) return piece.text;
    return withSpaces(piece.text);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> SentencePieceTokenizer::load(const std::filesystem::path& path,
                                                                      const SpecialNames& names,
                                                                      const std::vector<AddedToken>& added) {
    const std::string file = path.filename().string();
    STUDIO_TRY(std::string bytes, io::readFile(path, kMaxTokenizerFile));
    std::shared_ptr<SentencePieceTokenizer> tokenizer(new SentencePieceTokenizer());
    STUDIO_TRY(tokenizer->model_, checkPieceModel(bytes, file));
    STUDIO_CHECK(tokenizer->takePieces(names, file));
    STUDIO_CHECK(tokenizer->takeAdded(added, names, file));
    STUDIO_CHECK(tokenizer->findEos(names, file));
    tokenizer->added_ = AddedTokens(tokenizer->added_list_);
    STUDIO_CHECK(tokenizer->open(std::move(bytes), file));
    const PieceModel& model = tokenizer->model_;
    if (model.is_bpe && model.byte_fallback && !model.normalizes && !model.remove_extra_whitespaces) {
        tokenizer->borders_.emplace(model.pieces);
        tokenizer->ascii_ = AsciiMerger::make(model.pieces, tokenizer->special_);
    }
    return tokenizer;
}

// Control pieces, the unknown piece and what the other files name so are special.
Result<void> SentencePieceTokenizer::takePieces(const SpecialNames& names, const std::string& file) {
    std::vector<int> byte_of(model_.pieces.size(), 0);
    if (model_.byte_fallback)
        for (int byte = 0; byte < 256; ++byte) byte_of[model_.byte_ids[byte]] = byte;
    for (std::size_t id = 0; id < model_.pieces.size(); ++id) {
        const Piece& piece = model_.pieces[id];
        const bool control = piece.type == PieceType::Control || piece.type == PieceType::Unknown;
        const bool special = control || (piece.text != names.padding && names.makesSpecial(piece.text));
        if (special && !control && piece.type != PieceType::UserDefined)
            return corruptFile(file, fmt::format("the special token {} is an ordinary piece", quote(piece.text)));
        tokens_.push_back(special ? piece.text : bytesOf(piece, byte_of[id]));
        special_.push_back(special);
        if (special) added_list_.push_back({piece.text, static_cast<int>(id), true, false});
    }
    return {};
}

// Tokens that other files add behind the pieces; those that repeat a piece add nothing.
Result<void> SentencePieceTokenizer::takeAdded(const std::vector<AddedToken>& added, const SpecialNames& names,
                                               const std::string& file) {
    for (AddedToken token : added) {
        const auto id = static_cast<std::size_t>(token.id);
        if (id < model_.pieces.size()) {
            if (model_.pieces[id].text == token.spelling) continue;
            return corruptFile(file, fmt::format("the id {} is the piece {}, but {} in the files beside it", token.id,
                                                 quote(model_.pieces[id].text), quote(token.spelling)));
        }
        if (id >= tokens_.size()) {
            tokens_.resize(id + 1);
            special_.resize(id + 1);
        }
        if (!tokens_[id].empty() && tokens_[id] != token.spelling)
            return corruptFile(file, fmt::format("the added tokens {} and {} both have the id {}", quote(tokens_[id]),
                                                 quote(token.spelling), token.id));
        if (!tokens_[id].empty()) continue;
        if (!token.special && names.makesSpecial(token.spelling)) {
            token.special = true;
            token.normalized = false;
        }
        tokens_[id] = token.spelling;
        special_[id] = token.special;
        added_list_.push_back(token);
    }
    return {};
}

Result<void> SentencePieceTokenizer::findEos(const SpecialNames& names, const std::string& file) {
    eos_ = model_.eos_id;
    if (!names.eos.empty()) {
        const auto found = std::find_if(added_list_.begin(), added_list_.end(),
                                        [&](const AddedToken& token) { return token.spelling == names.eos; });
        if (found == added_list_.end())
            return corruptFile(names.eos_file,
                               fmt::format("the end-of-text token {} is not in {}", quote(names.eos), file));
        eos_ = found->id;
    } else if (names.eos_id) {
        eos_ = *names.eos_id;
    }
    if (eos_ < 0)
        return fail(ErrorCode::NotFound, fmt::format("{} does not say which token ends a text.", file),
                    "Add tokenizer_config.json or special_tokens_map.json of the model to its folder.");
    if (eos_ >= size() || !special_[eos_])
        return corruptFile(file, fmt::format("the id {}, which should end a text, is no special token", eos_));
    return {};
}

Result<void> SentencePieceTokenizer::open(std::string bytes, const std::string& file) {
    // The library finds user-defined pieces in every text. Special ones become control pieces, which it never finds.
    for (std::size_t id = 0; id < model_.pieces.size(); ++id) {
        const Piece& piece = model_.pieces[id];
        if (!special_[id] || piece.type != PieceType::UserDefined) continue;
        char& type = bytes[piece.type_offset];
        type = static_cast<char>((type & 0x80) | static_cast<int>(PieceType::Control));
    }
    // A text is handed over in parts, of which only the first gets the leading space: so it is put here. Fields that
    // come later override earlier ones: normalizer_spec { add_dummy_prefix: false }.
    prefix_here_ = model_.add_dummy_prefix && !model_.remove_extra_whitespaces;
    if (prefix_here_) bytes += std::string_view("\x1A\x02\x18\x00", 4);
    try {
        const auto status = processor_.LoadFromSerializedProto(bytes);
        if (!status.ok())
            return corruptFile(file, fmt::format("sentencepiece cannot use it ({})", status.error_message()));
    } catch (const std::exception& error) {
        return corruptFile(file, fmt::format("sentencepiece cannot use it ({})", error.what()));
    }
    if (processor_.GetPieceSize() != static_cast<int>(model_.pieces.size()))
        return corruptFile(file, "sentencepiece counts its pieces differently");
    return {};
}

std::string_view SentencePieceTokenizer::tokenBytes(int id) const {
    return id >= 0 && id < size() ? std::string_view(tokens_[id]) : std::string_view();
}

void SentencePieceTokenizer::append(std::string_view text, bool with_specials, std::vector<int>& ids) const {
    WordCachePool::Loan cache(caches_);
    added_.split(
        text, with_specials,
        [&](std::string_view plain) {
            if (prefix_here_ && plain.data() == text.data()) {
                appendPlain(fmt::format(" {}", plain), *cache, ids);
            } else {
                appendPlain(plain, *cache, ids);
            }
        },
        [&](int id) { ids.push_back(id); });
}

void SentencePieceTokenizer::appendPlain(std::string_view text, WordCache& cache, std::vector<int>& ids) const {
    while (!text.empty()) {
        const std::string_view valid = text.substr(0, validPrefix(text));
        appendValid(valid, cache, ids);
        text.remove_prefix(valid.size());
        if (text.empty()) break;
        appendBytes(text.substr(0, 1), ids);
        text.remove_prefix(1);
    }
}

void SentencePieceTokenizer::appendValid(std::string_view text, WordCache& cache, std::vector<int>& ids) const {
    while (!text.empty()) {
        const std::size_t sign = model_.byte_fallback ? text.find(kSpaceSign) : std::string_view::npos;
        appendWords(text.substr(0, sign), cache, ids);
        if (sign == std::string_view::npos) break;
        appendBytes(kSpaceSign, ids);
        text.remove_prefix(sign + kSpaceSign.size());
    }
}

void SentencePieceTokenizer::appendWords(std::string_view text, WordCache& cache, std::vector<int>& ids) const {
    if (!borders_) return appendPieces(text, ids);
    const char* const end = text.data() + text.size();
    const auto tokenize = [&](std::string_view word, std::vector<int>& out) {
        ascii_ && ascii_->covers(word) ? ascii_->append(word, out) : appendPieces(word, out);
    };
    while (!text.empty()) {
        const std::string_view word = text.substr(0, borders_->firstPart(text));
        cache.append(word, end, ids, tokenize);
        text.remove_prefix(word.size());
    }
}

void SentencePieceTokenizer::appendPieces(std::string_view text, std::vector<int>& ids) const {
    // The library needs about a hundred bytes of memory for each byte of text.
    constexpr std::size_t kMostAtOnce = 1u << 20;
    std::vector<int> found;
    while (!text.empty()) {
        std::size_t part = text.size();
        if (part > kMostAtOnce) {
            part = text.rfind(' ', kMostAtOnce);
            if (part == std::string_view::npos || part == 0) part = kMostAtOnce;
            while ((static_cast<std::uint8_t>(text[part]) & 0xC0) == 0x80) --part;
        }
        if (processor_.Encode(text.substr(0, part), &found).ok()) {
            ids.insert(ids.end(), found.begin(), found.end());
        } else {
            appendBytes(text.substr(0, part), ids);
        }
        text.remove_prefix(part);
    }
}

void SentencePieceTokenizer::appendBytes(std::string_view bytes, std::vector<int>& ids) const {
    for (const char byte : bytes)
        ids.push_back(model_.byte_fallback ? model_.byte_ids[static_cast<std::uint8_t>(byte)] : model_.unknown_id);
}

}  // namespace studio::text
