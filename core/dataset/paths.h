// Which conversations are read out of a tree.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/forest.h"

namespace studio::dataset {

enum class PathPolicy : std::uint8_t {
    Best,     // one path a tree, along the best ranked replies
    Leaves,   // every root-to-leaf path
    Replies,  // one path for each assistant message, only its last turn supervised
    Tree,     // the whole tree as one example
};
std::string_view name(PathPolicy policy);  // "best"
Result<PathPolicy> pathPolicy(std::string_view name);

// Which messages of a tree can stand in a conversation, and in which order. A conversation begins with a prompter
// (before it at most one system message) and its roles alternate; a message that breaks this is left out with all its
// replies, and so is a second first message. Requires checkTree(). Keeps a reference to the tree. O(nodes), no
// recursion.
class TreeIndex {
  public:
    explicit TreeIndex(const Tree& tree);

    const Tree& tree() const { return *tree_; }
    int messagesOutOfOrder() const { return out_of_order_; }  // left out because of their role or their parent's
    bool hasReply() const { return !depth_first_.empty(); }   // any assistant message to learn from

    // Messages on the way to an assistant message, that message included: each parent before its children, children in
    // file order. These are the messages of the `tree` policy.
    const std::vector<int>& depthFirst() const { return depth_first_; }

    // The last (assistant) message of every path, in file order. Empty for PathPolicy::Tree.
    std::vector<int> pathEnds(PathPolicy policy) const;

    // The nodes from the first message to `end`.
    std::vector<int> pathTo(int end) const;

  private:
    int bestEnd() const;
    std::vector<int> leafEnds() const;

    const Tree* tree_;
    std::vector<bool> in_order_, used_;
    std::vector<int> first_child_, next_sibling_;  // among in-order messages, file order
    std::vector<int> depth_first_;
    int first_ = -1;  // the tree's first message
    int out_of_order_ = 0;
};

}  // namespace studio::dataset
