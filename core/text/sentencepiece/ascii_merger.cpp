#include "text/sentencepiece/ascii_merger.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace studio::text {
namespace {

constexpr std::size_t kLongestPiece = 64;  // bytes; trained models stop at 16

bool isAscii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

}  // namespace

std::unique_ptr<const AsciiMerger> AsciiMerger::make(const std::vector<Piece>& pieces,
                                                     const std::vector<bool>& special) {
    std::unique_ptr<AsciiMerger> made(new AsciiMerger());
    made->lengths_.resize(pieces.size());
    std::unordered_map<std::string, int> id_of;
    std::vector<int> longer;  // ids of pieces of more than one character
    std::string begins_defined;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const int id = static_cast<int>(i);
        if (pieces[i].type == PieceType::Unused) return nullptr;
        std::string text = withSpaces(pieces[i].text);
        if (pieces[i].type == PieceType::UserDefined && !special[i]) begins_defined += text[0];
        if (pieces[i].type != PieceType::Normal || !isAscii(text)) continue;
        if (text.size() > kLongestPiece) return nullptr;
        made->lengths_[i] = static_cast<int>(text.size());
        if (text.size() == 1) {
            const auto byte = static_cast<std::uint8_t>(text[0]);
            made->byte_ids_[byte] = id;
            made->covered_.set(byte);
        } else {
            longer.push_back(id);
        }
        id_of.emplace(std::move(text), id);
    }
    for (const char c : begins_defined) made->covered_.reset(static_cast<std::uint8_t>(c));

    std::sort(longer.begin(), longer.end(), [&](int a, int b) { return pieces[a].score > pieces[b].score; });
    struct Split {
        int left, right;
        Merge merge;
    };
    std::vector<Split> splits;
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < longer.size(); ++i) {
        const int id = longer[i];
        if (i > 0 && pieces[id].score != pieces[longer[i - 1]].score) ++rank;
        const std::string text = withSpaces(pieces[id].text);
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            const auto left = id_of.find(text.substr(0, cut)), right = id_of.find(text.substr(cut));
            if (left != id_of.end() && right != id_of.end())
                splits.push_back({left->second, right->second, {rank, id}});
        }
    }
    made->merges_ = MergeTable(splits.size());
    for (const Split& split : splits)
        if (made->merges_.add(split.left, split.right, split.merge) != MergeTable::Added::Yes) return nullptr;
    return made;
}

bool AsciiMerger::covers(std::string_view word) const {
    return std::all_of(word.begin(), word.end(), [&](char c) { return covered_[static_cast<std::uint8_t>(c)]; });
}

}  // namespace studio::text
