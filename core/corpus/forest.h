// The conversations that a filter leaves, as trees in memory: what a dataset is made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/filter.h"
#include "corpus/message.h"
#include "corpus/store.h"

namespace studio::corpus {

struct Node {
    std::string message_id;
    int parent = -1;  // index into Tree::nodes, smaller than the node's own; -1: nothing above it
    Role role = Role::Prompter;
    std::optional<int> rank;  // 0 is best
    std::string text;
    std::string lang;      // empty where unknown
    std::int64_t row = 0;  // Message::row
};

// Messages in file order; where a file has a reply before its parent, by depth and then file order.
struct Tree {
    std::string id;
    std::vector<Node> nodes;
};

// Messages that are not in the forest, each counted once, by the first reason that applies.
struct LeftOut {
    std::int64_t deleted = 0;
    std::int64_t orphans = 0;
    std::int64_t filtered = 0;  // the filter does not match them
    std::int64_t below = 0;     // they stand below a message that is left out
    std::int64_t total() const { return deleted + orphans + filtered + below; }
};

struct Forest {
    std::vector<Tree> trees;  // by their first message in file order; never empty ones
    LeftOut left_out;
    std::int64_t messages = 0;
};

// Deleted messages and orphans are left out unless the filter has a condition on `deleted` (or `orphan`) itself. A
// message left out takes its subtree along.
Result<Forest> loadForest(Store& store, const Filter& filter, const JobContext& job = {});

}  // namespace studio::corpus
