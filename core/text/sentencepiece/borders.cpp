#include "text/sentencepiece/borders.h"

namespace studio::text {
namespace {

bool isAscii(char c) {
    return static_cast<std::uint8_t>(c) < 0x80;
}

}  // namespace

PieceBorders::PieceBorders(const std::vector<Piece>& pieces) {
    for (const Piece& piece : pieces) {
        const std::string text = withSpaces(piece.text);
        for (std::size_t i = 1; i < text.size(); ++i)
            if (isAscii(text[i - 1]) && isAscii(text[i])) together_.set(pair(text[i - 1], text[i]));
    }
}

std::size_t PieceBorders::firstPart(std::string_view text) const {
    for (std::size_t i = 1; i < text.size(); ++i)
        if (isAscii(text[i - 1]) && isAscii(text[i]) && !together_[pair(text[i - 1], text[i])]) return i;
    return text.size();
}

}  // namespace studio::text
