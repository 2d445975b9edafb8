// What a sentencepiece model file says, checked before the library sees it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace studio::text {

enum class PieceType : std::uint8_t { Normal = 1, Unknown, Control, UserDefined, Unused, Byte };  // as in the file

struct Piece {
    std::string text;  // ▁ (U+2581) stands for a space
    float score = 0;   // of a merge or of the piece itself
    PieceType type = PieceType::Normal;
    std::size_t type_offset = 0;  // of the type's number in the file; 0 where it is not written
};

struct PieceModel {
    std::vector<Piece> pieces;  // by id
    int unknown_id = 0;
    int bos_id = 1, eos_id = 2;  // -1: none
    bool is_bpe = false;         // else unigram
    bool normalizes = false;     // has a table of replacements
    bool byte_fallback = false;
    std::array<int, 256> byte_ids{};  // with byte_fallback
    bool add_dummy_prefix = true;
    bool remove_extra_whitespaces = true;
};

// ▁ back to spaces.
std::string withSpaces(std::string_view piece);

// The library's own reader follows offsets of the file without a check (CVE-2026-1260 and its kin: NUL inside a piece,
// overlong pieces, a crafted normalisation table), so everything it follows is checked here: the wire format, the
// pieces, the table of the normaliser. `file` is the name for messages.
Result<PieceModel> checkPieceModel(std::string_view bytes, const std::string& file);

// A `precompiled_charsmap`: u32 size of a double-array trie, the trie (Darts-clone), strings that end with NUL. True if
// no walk from the root can leave the trie and every value is the start of a string.
bool isSoundCharsMap(std::string_view blob);

}  // namespace studio::text
