#include "text/bpe/word_merger.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

namespace studio::text {
namespace {

constexpr std::size_t kShort = 48;          // bytes
constexpr std::size_t kLongest = 1u << 30;  // positions and lengths are int; longer words are cut here

// A long word as a doubly linked list of tokens in one array with a cell for each byte. A token's first cell holds its
// id; if it is longer than a byte, its last cell holds minus its length; cells between are of no meaning, but negative.
class LinkedTokens {
  public:
    LinkedTokens(std::string_view word, const std::array<int, 256>& byte_ids, const std::vector<int>& lengths)
        : lengths_(lengths) {
        cells_.reserve(word.size());
        for (const char c : word) cells_.push_back(byte_ids[static_cast<std::uint8_t>(c)]);
    }

    int size() const { return static_cast<int>(cells_.size()); }
    bool startsAt(int at) const { return cells_[at] >= 0; }
    int id(int at) const { return cells_[at]; }
    int next(int at) const { return at + lengths_[cells_[at]]; }                               // size() behind the last
    int previous(int at) const { return cells_[at - 1] >= 0 ? at - 1 : at + cells_[at - 1]; }  // at > 0

    // The token at `at` and its right neighbour become `token`.
    void merge(int at, int token) {
        const int right = next(at);
        const int end = next(right);
        cells_[right] = -1;
        cells_[at] = token;
        cells_[end - 1] = at - end;
    }

  private:
    std::vector<int> cells_;
    const std::vector<int>& lengths_;
};

// A set of places from which the leftmost is taken. They mostly come in rising order: those wait in a queue, which
// costs nothing; only the others need a heap.
class Places {
  public:
    void add(int at) {
        if (rising_.size() == taken_ || at > rising_.back()) {
            rising_.push_back(at);
        } else {
            others_.push(at);
        }
    }
    bool empty() const { return rising_.size() == taken_ && others_.empty(); }
    int takeLeftmost() {
        if (others_.empty() || (rising_.size() > taken_ && rising_[taken_] < others_.top())) return rising_[taken_++];
        const int at = others_.top();
        others_.pop();
        return at;
    }

  private:
    std::vector<int> rising_;
    std::size_t taken_ = 0;
    std::priority_queue<int, std::vector<int>, std::greater<>> others_;
};

// Places where a merge may apply, lowest rank first, then from left to right.
class Candidates {
  public:
    struct Candidate {
        std::uint32_t rank;
        int at;
    };

    void add(std::uint32_t rank, int at) { by_rank_[rank].add(at); }
    bool empty() const { return by_rank_.empty(); }

    Candidate take() {
        const auto lowest = by_rank_.begin();
        const Candidate result{lowest->first, lowest->second.takeLeftmost()};
        if (lowest->second.empty()) by_rank_.erase(lowest);
        return result;
    }

  private:
    std::map<std::uint32_t, Places> by_rank_;
};

}  // namespace

void WordMerger::append(std::string_view word, std::vector<int>& ids) const {
    while (word.size() > kLongest) {
        appendLong(word.substr(0, kLongest), ids);
        word.remove_prefix(kLongest);
    }
    word.size() <= kShort ? appendShort(word, ids) : appendLong(word, ids);
}

void WordMerger::appendShort(std::string_view word, std::vector<int>& ids) const {
    std::array<int, kShort> tokens;
    std::array<Merge, kShort> merges;  // merges[i]: of tokens i and i + 1
    std::size_t count = word.size();
    for (std::size_t i = 0; i < count; ++i) tokens[i] = byte_ids_[static_cast<std::uint8_t>(word[i])];
    for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = merges_.find(tokens[i], tokens[i + 1]);

    while (count > 1) {
        const auto best = std::min_element(merges.begin(), merges.begin() + (count - 1),
                                           [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
        if (!best->exists()) break;
        const std::size_t at = best - merges.begin();
        tokens[at] = best->token;
        std::copy(tokens.begin() + at + 2, tokens.begin() + count, tokens.begin() + at + 1);
        if (at + 2 < count) std::copy(merges.begin() + at + 2, merges.begin() + (count - 1), merges.begin() + at + 1);
        --count;
        if (at > 0) merges[at - 1] = merges_.find(tokens[at - 1], tokens[at]);
        if (at + 1 < count) merges[at] = merges_.find(tokens[at], tokens[at + 1]);
    }
    ids.insert(ids.end(), tokens.begin(), tokens.begin() + count);
}

void WordMerger::appendLong(std::string_view word, std::vector<int>& ids) const {
    LinkedTokens tokens(word, byte_ids_, lengths_);
    Candidates candidates;
    const auto addPair = [&](int at, int next) {
        if (const Merge merge = merges_.find(tokens.id(at), tokens.id(next)); merge.exists())
            candidates.add(merge.rank, at);
    };
    for (int at = 0; at + 1 < tokens.size(); ++at) addPair(at, at + 1);

    while (!candidates.empty()) {
        const auto [rank, at] = candidates.take();
        if (!tokens.startsAt(at) || tokens.next(at) == tokens.size()) continue;
        const Merge merge = merges_.find(tokens.id(at), tokens.id(tokens.next(at)));
        if (merge.rank != rank) continue;  // a neighbour has merged since
        tokens.merge(at, merge.token);
        if (at > 0) addPair(tokens.previous(at), at);
        if (tokens.next(at) < tokens.size()) addPair(at, tokens.next(at));
    }
    for (int at = 0; at < tokens.size(); at = tokens.next(at)) ids.push_back(tokens.id(at));
}

}  // namespace studio::text
