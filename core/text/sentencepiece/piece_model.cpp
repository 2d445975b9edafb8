#include "text/sentencepiece/piece_model.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "text/limits.h"
#include "text/messages.h"
#include "text/sentencepiece/wire.h"
#include "text/utf8.h"

namespace studio::text {
namespace {

// Field numbers of sentencepiece_model.proto.
namespace model_field {
constexpr std::uint32_t kPieces = 1, kTrainer = 2, kNormalizer = 3, kSelfTest = 4, kDenormalizer = 5;
}
namespace piece_field {
constexpr std::uint32_t kPiece = 1, kScore = 2, kType = 3;
}
namespace trainer_field {
constexpr std::uint32_t kModelType = 3, kWhitespaceAsSuffix = 24, kByteFallback = 35;
constexpr std::uint32_t kUnkId = 40, kBosId = 41, kEosId = 42;
}  // namespace trainer_field
namespace normalizer_field {
constexpr std::uint32_t kCharsMap = 2, kDummyPrefix = 3, kRemoveExtra = 4, kEscape = 5;
}

// The library goes one call deeper for each byte of a piece.
constexpr std::size_t kMaxPieceBytes = 1024;

class Checker {
  public:
    explicit Checker(const std::string& file) : file_(file) {}

    Result<PieceModel> check(std::string_view bytes) {
        STUDIO_CHECK(eachField(bytes, [&](const WireField& field) -> Result<void> {
            const bool message = field.number >= model_field::kPieces && field.number <= model_field::kDenormalizer;
            if (message && field.type != WireField::Type::Bytes) return broken();
            switch (field.number) {
                case model_field::kPieces:
                    return piece(field);
                case model_field::kTrainer:
                    return trainer(field.bytes);
                case model_field::kNormalizer:
                    return normalizer(field.bytes, true);
                case model_field::kSelfTest:
                    return nested(field.bytes);
                case model_field::kDenormalizer:
                    return normalizer(field.bytes, false);
                default:
                    return {};
            }
        }));
        STUDIO_CHECK(checkTogether());
        return std::move(model_);
    }

  private:
    tl::unexpected<Error> broken() const { return corruptFile(file_, "this is not a sentencepiece model"); }

    template <class Use>
    Result<void> eachField(std::string_view message, Use&& use) const {
        WireReader reader(message);
        while (const auto field = reader.next()) STUDIO_CHECK(use(*field));
        return reader.broken() ? Result<void>(broken()) : Result<void>();
    }

    // A message whose sub-messages hold only plain fields.
    Result<void> nested(std::string_view message) const {
        return eachField(message, [&](const WireField& field) -> Result<void> {
            if (field.type != WireField::Type::Bytes) return broken();
            return eachField(field.bytes, [](const WireField&) { return Result<void>(); });
        });
    }

    std::string pieceName() const { return fmt::format("{}, piece {}", file_, model_.pieces.size()); }

    Result<void> piece(const WireField& message) {
        if (model_.pieces.size() >= static_cast<std::size_t>(kMaxTokens))
            return corruptFile(file_, fmt::format("there are more than {} pieces", kMaxTokens));
        Piece piece;
        STUDIO_CHECK(eachField(message.bytes, [&](const WireField& field) -> Result<void> {
            if (field.number == piece_field::kPiece) {
                if (field.type != WireField::Type::Bytes) return broken();
                piece.text = field.bytes;
            } else if (field.number == piece_field::kScore) {
                if (field.type != WireField::Type::Fixed32) return broken();
                piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
            } else if (field.number == piece_field::kType) {
                if (field.type != WireField::Type::Varint || field.value < 1 || field.value > 6)
                    return corruptFile(pieceName(), "the type of the piece is unknown");
                piece.type = static_cast<PieceType>(field.value);
                piece.type_offset = message.value_offset + field.value_offset;
            }
            return {};
        }));
        if (piece.text.empty()) return corruptFile(pieceName(), "the piece is empty");
        if (piece.text.size() > kMaxPieceBytes)
            return corruptFile(pieceName(), fmt::format("the piece is {} bytes long; at most {} are allowed",
                                                        piece.text.size(), kMaxPieceBytes));
        if (piece.text.find('\0') != std::string::npos || validPrefix(piece.text) != piece.text.size())
            return corruptFile(pieceName(), fmt::format("the piece {} is not plain UTF-8", quote(piece.text)));
        if (!std::isfinite(piece.score)) return corruptFile(pieceName(), "the score of the piece is not a number");
        if (!seen_.insert(piece.text).second)
            return corruptFile(pieceName(), fmt::format("the piece {} is there twice", quote(piece.text)));
        model_.pieces.push_back(std::move(piece));
        return {};
    }

    Result<void> trainer(std::string_view message) {
        return eachField(message, [&](const WireField& field) -> Result<void> {
            using namespace trainer_field;
            const bool read = field.number == kModelType || field.number == kWhitespaceAsSuffix ||
                              field.number == kByteFallback || (field.number >= kUnkId && field.number <= kEosId);
            if (!read) return {};
            if (field.type != WireField::Type::Varint) return broken();
            const auto id = static_cast<int>(static_cast<std::uint32_t>(field.value));
            switch (field.number) {
                case kModelType:
                    model_type_ = field.value;
                    break;
                case kWhitespaceAsSuffix:
                    whitespace_as_suffix_ = field.value != 0;
                    break;
                case kByteFallback:
                    model_.byte_fallback = field.value != 0;
                    break;
                case kUnkId:
                    model_.unknown_id = id;
                    break;
                case kBosId:
                    model_.bos_id = id;
                    break;
                default:
                    model_.eos_id = id;
                    break;
            }
            return {};
        });
    }

    Result<void> normalizer(std::string_view message, bool used) {
        return eachField(message, [&](const WireField& field) -> Result<void> {
            using namespace normalizer_field;
            if (field.number == kCharsMap) {
                if (field.type != WireField::Type::Bytes) return broken();
                if (!field.bytes.empty() && !isSoundCharsMap(field.bytes))
                    return corruptFile(file_, "the table of the normaliser is broken");
                if (used && !field.bytes.empty()) model_.normalizes = true;
            } else if (field.number >= kDummyPrefix && field.number <= kEscape) {
                if (field.type != WireField::Type::Varint) return broken();
                const bool on = field.value != 0;
                if (!used) return {};
                (field.number == kDummyPrefix   ? model_.add_dummy_prefix
                 : field.number == kRemoveExtra ? model_.remove_extra_whitespaces
                                                : escape_whitespaces_) = on;
            }
            return {};
        });
    }

    Result<void> checkTogether() {
        const int count = static_cast<int>(model_.pieces.size());
        if (count == 0) return corruptFile(file_, "there are no pieces");
        if (model_type_ != 1 && model_type_ != 2) return unsupported("it is neither a unigram nor a BPE model");
        model_.is_bpe = model_type_ == 2;
        if (whitespace_as_suffix_ || !escape_whitespaces_) return unsupported("it does not write spaces before words");
        int unknown = 0, bytes = 0;
        for (int id = 0; id < count; ++id) {
            const Piece& piece = model_.pieces[id];
            if (piece.type == PieceType::Unknown) {
                ++unknown;
                model_.unknown_id = id;
            } else if (piece.type == PieceType::Byte) {
                const auto byte = byteOf(piece.text);
                if (!byte) return corruptFile(file_, fmt::format("the byte piece {} names no byte", quote(piece.text)));
                model_.byte_ids[*byte] = id;
                ++bytes;
            }
        }
        if (unknown != 1) return corruptFile(file_, "there must be exactly one piece for unknown characters");
        if (model_.byte_fallback && bytes != 256)
            return corruptFile(file_, fmt::format("it falls back to bytes, but has {} byte pieces of 256", bytes));
        for (int* id : {&model_.bos_id, &model_.eos_id})
            if (*id < 0 || *id >= count) *id = -1;
        return {};
    }

    tl::unexpected<Error> unsupported(std::string_view what) const {
        return fail(ErrorCode::Unsupported, fmt::format("{}: {}.", file_, what),
                    "Use the tokenizer of the original base model.");
    }

    // "<0x0A>"
    static std::optional<std::uint8_t> byteOf(std::string_view text) {
        std::uint8_t byte = 0;
        if (text.size() != 6 || std::from_chars(text.data() + 3, text.data() + 5, byte, 16).ptr != text.data() + 5 ||
            text != fmt::format("<0x{:02X}>", byte))
            return std::nullopt;
        return byte;
    }

    const std::string& file_;
    PieceModel model_;
    std::unordered_set<std::string> seen_;
    std::uint64_t model_type_ = 1;
    bool whitespace_as_suffix_ = false, escape_whitespaces_ = true;
};

}  // namespace

std::string withSpaces(std::string_view piece) {
    constexpr std::string_view kSpaceSign = "\u2581";
    std::string text;
    while (true) {
        const std::size_t sign = piece.find(kSpaceSign);
        text += piece.substr(0, sign);
        if (sign == std::string_view::npos) return text;
        text += ' ';
        piece.remove_prefix(sign + kSpaceSign.size());
    }
}

Result<PieceModel> checkPieceModel(std::string_view bytes, const std::string& file) {
    return Checker(file).check(bytes);
}

bool isSoundCharsMap(std::string_view blob) {
    const auto number = [&](std::size_t at) {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<std::uint8_t>(blob[at + i])} << 8 * i;
        return value;
    };
    if (blob.size() < 4) return false;
    const std::size_t trie_bytes = number(0);
    if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes >= blob.size() - 4) return false;
    const std::size_t units = trie_bytes / 4;
    const std::size_t strings = blob.size() - 4 - trie_bytes;
    if (blob.back() != '\0') return false;
    for (std::size_t i = 0; i < units; ++i) {
        const std::uint32_t unit = number(4 + 4 * i);
        if (unit >> 31 != 0) {  // a value: not walked through
            if (i == 0) return false;
            continue;
        }
        const std::size_t offset = std::size_t{unit >> 10} << ((unit & 1u << 9) >> 6);
        const std::size_t children = i ^ offset;
        if ((children | 0xFF) >= units) return false;
        if ((unit >> 8 & 1) != 0 && (number(4 + 4 * children) & 0x7FFFFFFF) >= strings) return false;
    }
    return true;
}

}  // namespace studio::text
