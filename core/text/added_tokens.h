// Tokens that stand beside the vocabulary proper and are found in the text before anything else happens to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace studio::text {

struct AddedToken {
    std::string spelling;
    int id = 0;
    bool special = false;    // an end of text and its kind: never found in a message
    bool normalized = true;  // looked for after the others
};

// Finds the leftmost of several spellings, of those that start there the longest.
class SpellingMatcher {
  public:
    struct Match {
        std::size_t begin = 0;
        std::size_t length = 0;
        int id = 0;
    };

    SpellingMatcher();
    void add(std::string_view spelling, int id);  // not empty
    bool empty() const { return nodes_.size() == 1; }
    std::optional<Match> find(std::string_view text, std::size_t from) const;

  private:
    // A trie; children are a linked list. Node 0 is the root.
    struct Node {
        int id = -1;
        std::uint32_t child = 0, sibling = 0;  // 0: none
        std::uint8_t byte = 0;
    };
    std::uint32_t childOf(std::uint32_t node, std::uint8_t byte) const;
    Match longestAt(std::string_view text, std::size_t at) const;  // length 0: none

    std::vector<Node> nodes_;
    std::vector<bool> starts_;  // first byte * 256 + second: whether some spelling may start so
};

// Cuts text at added tokens: first at those not `normalized`, then the rest at the others, as transformers does.
class AddedTokens {
  public:
    AddedTokens() = default;
    explicit AddedTokens(const std::vector<AddedToken>& tokens);

    // Calls `plain(text)` and `token(id)` for the pieces in order; no piece is empty.
    template <class Plain, class Token>
    void split(std::string_view text, bool with_specials, Plain&& plain, Token&& token) const {
        const Matchers& matchers = with_specials ? all_ : ordinary_;
        splitOnce(
            matchers.first, text, [&](std::string_view part) { splitOnce(matchers.second, part, plain, token); },
            token);
    }

  private:
    struct Matchers {
        SpellingMatcher first, second;
    };

    template <class Plain, class Token>
    static void splitOnce(const SpellingMatcher& matcher, std::string_view text, Plain&& plain, Token&& token) {
        std::size_t done = 0;
        if (!matcher.empty()) {
            while (const auto match = matcher.find(text, done)) {
                if (match->begin > done) plain(text.substr(done, match->begin - done));
                token(match->id);
                done = match->begin + match->length;
            }
        }
        if (done < text.size()) plain(text.substr(done));
    }

    Matchers all_, ordinary_;
};

}  // namespace studio::text
