// What a dataset is made of: trees of messages, as the corpus hands them over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/chat_template.h"

namespace studio::dataset {

struct Node {
    std::string message_id;
    int parent = -1;  // index into Tree::nodes, smaller than the node's own; -1: the first message of the conversation
    text::Role role = text::Role::Prompter;
    std::optional<int> rank;  // 0 is best; prompter messages have none
    std::string text;
    std::string lang;
};

// Messages in file order, parents before children; deleted and orphaned ones are already left out.
struct Tree {
    std::string id;
    std::vector<Node> nodes;
};

// Error unless every parent comes before its replies.
Result<void> checkTree(const Tree& tree);

}  // namespace studio::dataset
