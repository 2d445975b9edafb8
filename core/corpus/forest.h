// The conversations that a filter leaves, as trees in memory: what a dataset is made from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/catalogue.h"
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

struct Forest {
    std::vector<Tree> trees;  // by their first message in file order; never empty ones
    LeftOut left_out;
    std::int64_t messages = 0;
};

// Deleted messages and orphans are left out unless the filter has a condition on `deleted` (or `orphan`) itself. A
// message left out takes its subtree along.
Result<Forest> loadForest(Store& store, const Filter& filter, const JobContext& job = {});

// The same for some trees only, given as indices into catalogue.trees(): what stays of them in `selection`.
Result<Forest> readForest(Store& store, const Catalogue& catalogue, const Selection& selection,
                          const std::vector<std::int32_t>& trees, const JobContext& job = {});

}  // namespace studio::corpus
