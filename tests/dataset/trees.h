// Trees for tests: spelled out, or random with a seed.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "dataset/forest.h"
#include "dataset/random.h"

namespace studio::test {

struct Message {
    char role;  // 's', 'p', 'a'
    const char* id;
    const char* parent;  // "" for the first
    int rank = -1;       // -1: none
};

inline dataset::Tree tree(const std::string& id, std::initializer_list<Message> messages) {
    dataset::Tree result{id, {}};
    std::map<std::string, int> index{{"", -1}};
    for (const Message& message : messages) {
        dataset::Node node;
        node.message_id = message.id;
        node.parent = index.at(message.parent);
        node.role = message.role == 's'   ? text::Role::System
                    : message.role == 'p' ? text::Role::Prompter
                                          : text::Role::Assistant;
        if (message.rank >= 0) node.rank = message.rank;
        node.text = message.id;
        index.emplace(message.id, static_cast<int>(result.nodes.size()));
        result.nodes.push_back(std::move(node));
    }
    return result;
}

struct RandomTrees {
    int trees = 20, max_nodes = 30, max_text = 12;
    bool depth_first = false;  // else any order with parents first
    int disorder_percent = 8;  // messages whose role does not alternate
};

inline dataset::Tree randomTree(const std::string& id, dataset::SplitMix64& random, const RandomTrees& options) {
    using text::Role;
    dataset::Tree tree{id, {}};
    const int n = 1 + static_cast<int>(random.below(options.max_nodes));
    for (int i = 0; i < n; ++i) {
        dataset::Node node;
        node.message_id = fmt::format("{}/{}", id, i);
        if (i > 0 && options.depth_first) {  // the last message or one of its ancestors
            node.parent = i - 1;
            while (node.parent > 0 && random.below(3) == 0) node.parent = tree.nodes[node.parent].parent;
        } else if (i > 0) {
            node.parent = static_cast<int>(random.below(i));
        }
        if (node.parent < 0)
            node.role = random.below(6) == 0 ? Role::System : Role::Prompter;
        else
            node.role = tree.nodes[node.parent].role == Role::Prompter ? Role::Assistant : Role::Prompter;
        if (random.below(100) < static_cast<std::uint64_t>(options.disorder_percent))
            node.role = static_cast<Role>(random.below(3));
        if (node.role == Role::Assistant && random.below(3) > 0) node.rank = static_cast<int>(random.below(4));
        const auto length = random.below(options.max_text + 1);
        for (std::uint64_t c = 0; c < length; ++c) node.text += static_cast<char>('a' + random.below(26));
        tree.nodes.push_back(std::move(node));
    }
    return tree;
}

inline std::vector<dataset::Tree> randomForest(std::uint64_t seed, const RandomTrees& options = {}) {
    dataset::SplitMix64 random(seed, 0);
    std::vector<dataset::Tree> trees;
    for (int i = 0; i < options.trees; ++i) trees.push_back(randomTree(fmt::format("t{}", i), random, options));
    return trees;
}

}  // namespace studio::test
