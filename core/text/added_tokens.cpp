#include "text/added_tokens.h"

namespace studio::text {

SpellingMatcher::SpellingMatcher() : nodes_(1), starts_(1 << 16) {}

std::uint32_t SpellingMatcher::childOf(std::uint32_t node, std::uint8_t byte) const {
    std::uint32_t child = nodes_[node].child;
    while (child != 0 && nodes_[child].byte != byte) child = nodes_[child].sibling;
    return child;
}

void SpellingMatcher::add(std::string_view spelling, int id) {
    std::uint32_t node = 0;
    for (const char c : spelling) {
        const auto byte = static_cast<std::uint8_t>(c);
        std::uint32_t child = childOf(node, byte);
        if (child == 0) {
            child = static_cast<std::uint32_t>(nodes_.size());
            nodes_.push_back({-1, 0, nodes_[node].child, byte});
            nodes_[node].child = child;
        }
        node = child;
    }
    nodes_[node].id = id;
    const std::size_t first = static_cast<std::uint8_t>(spelling[0]) * std::size_t{256};
    if (spelling.size() == 1) {
        for (std::size_t second = 0; second < 256; ++second) starts_[first + second] = true;
    } else {
        starts_[first + static_cast<std::uint8_t>(spelling[1])] = true;
    }
}

SpellingMatcher::Match SpellingMatcher::longestAt(std::string_view text, std::size_t at) const {
    Match best{at, 0, 0};
    std::uint32_t node = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
        node = childOf(node, static_cast<std::uint8_t>(text[i]));
        if (node == 0) break;
        if (nodes_[node].id >= 0) best = {at, i + 1 - at, nodes_[node].id};
    }
    return best;
}

std::optional<SpellingMatcher::Match> SpellingMatcher::find(std::string_view text, std::size_t from) const {
    for (std::size_t at = from; at < text.size(); ++at) {
        if (at + 1 < text.size()) {
            const auto first = static_cast<std::uint8_t>(text[at]);
            const auto second = static_cast<std::uint8_t>(text[at + 1]);
            if (!starts_[first * std::size_t{256} + second]) continue;
        }
        if (const Match match = longestAt(text, at); match.length > 0) return match;
    }
    return std::nullopt;
}

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens) {
    for (const AddedToken& token : tokens) {
        (token.normalized ? all_.second : all_.first).add(token.spelling, token.id);
        if (!token.special) (token.normalized ? ordinary_.second : ordinary_.first).add(token.spelling, token.id);
    }
}

}  // namespace studio::text
