// Finds the trees among messages that name their parents: orphans, cycles, depth. Iterative, O(n).
#pragma once

#include <cstdint>
#include <vector>

namespace studio::corpus {

inline constexpr std::uint32_t kNoMessage = 0xFFFFFFFF;
inline constexpr int kMaxDepth = 512;  // messages on a path

struct LinkInput {
    std::uint32_t parent = kNoMessage;  // index of the parent where it is stored
    std::uint32_t tree = 0;
    bool names_parent = false;  // it has a parent id, whether or not that is stored
    std::uint8_t role = 0;
};

enum class Fate : std::uint8_t { Root, Reply, Orphan, SelfParent, Cycle, OtherTree, TooDeep };
inline bool isRejected(Fate fate) {
    return fate >= Fate::SelfParent;
}

struct Link {
    std::uint32_t parent = kNoMessage;  // of replies
    std::uint32_t replies = 0;
    std::uint16_t depth = 0;
    Fate fate = Fate::Root;
    bool parent_rejected = false;  // of orphans: the parent was in the file, but is rejected
    bool same_role = false;        // as the parent
    bool operator==(const Link&) const = default;
};

// A message whose parent is rejected becomes an orphan, except that everything below the depth limit is rejected too.
std::vector<Link> link(const std::vector<LinkInput>& messages);

}  // namespace studio::corpus
