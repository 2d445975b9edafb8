// What must be learned, computed the slow and obvious way: every path on its own, straight from the trees.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "byte_tokenizer.h"
#include "dataset/batch/batch.h"
#include "dataset/examples.h"
#include "dataset/make_examples.h"
#include "dataset/random.h"

namespace studio::test {

using dataset::PathPolicy;
using dataset::TrainOn;

// One supervised token: everything the model sees when it predicts it (as a hash), and the token. How often it occurs.
using Learned = std::map<std::pair<std::uint64_t, int>, int>;

inline std::uint64_t hashOf(std::span<const int> tokens) {
    return dataset::hash({reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()}, 0);
}

using NodePath = std::vector<int>;

// Roles alternate from a prompter on.
inline bool alternates(const dataset::Tree& tree, int node) {
    using text::Role;
    const dataset::Node& n = tree.nodes[node];
    if (n.parent < 0) return n.role != Role::Assistant;
    if (!alternates(tree, n.parent)) return false;
    const Role above = tree.nodes[n.parent].role;
    return above == Role::Prompter ? n.role == Role::Assistant : n.role == Role::Prompter;
}

inline NodePath pathTo(const dataset::Tree& tree, int node) {
    NodePath path;
    if (tree.nodes[node].parent >= 0) path = pathTo(tree, tree.nodes[node].parent);
    path.push_back(node);
    return path;
}

inline std::vector<int> children(const dataset::Tree& tree, int node) {
    std::vector<int> result;
    for (int i = 0; i < static_cast<int>(tree.nodes.size()); ++i)
        if (tree.nodes[i].parent == node && alternates(tree, i)) result.push_back(i);
    return result;
}

inline bool isAssistant(const dataset::Tree& tree, int node) {
    return tree.nodes[node].role == text::Role::Assistant;
}

inline bool leadsToAssistant(const dataset::Tree& tree, int node) {
    if (isAssistant(tree, node)) return true;
    const auto below = children(tree, node);
    return std::any_of(below.begin(), below.end(), [&](int child) { return leadsToAssistant(tree, child); });
}

// The paths of a policy; for PathPolicy::Tree those to every message on the way to an assistant message.
inline std::vector<NodePath> paths(const dataset::Tree& tree, PathPolicy policy) {
    std::vector<NodePath> result;
    for (int i = 0; i < static_cast<int>(tree.nodes.size()); ++i) {
        if (!alternates(tree, i)) continue;
        if (policy == PathPolicy::Replies && isAssistant(tree, i)) result.push_back(pathTo(tree, i));
        if (policy == PathPolicy::Tree && leadsToAssistant(tree, i)) result.push_back(pathTo(tree, i));
        if (policy == PathPolicy::Leaves && children(tree, i).empty()) {
            NodePath path = pathTo(tree, i);
            while (!path.empty() && !isAssistant(tree, path.back())) path.pop_back();
            if (!path.empty() && std::find(result.begin(), result.end(), path) == result.end()) result.push_back(path);
        }
    }
    if (policy == PathPolicy::Best && !tree.nodes.empty() && alternates(tree, 0) && leadsToAssistant(tree, 0)) {
        NodePath path{0};
        for (;;) {
            std::vector<int> next;
            for (const int child : children(tree, path.back()))
                if (leadsToAssistant(tree, child)) next.push_back(child);
            if (next.empty()) break;
            const auto key = [&](int node) {
                const auto& rank = tree.nodes[node].rank;
                return std::make_tuple(!isAssistant(tree, node) ? 0 : rank ? *rank : 1'000'000, node);
            };
            path.push_back(*std::min_element(next.begin(), next.end(), [&](int a, int b) { return key(a) < key(b); }));
        }
        result.push_back(path);
    }
    return result;
}

inline Learned learned(const std::vector<dataset::Tree>& trees, const dataset::ExampleOptions& options,
                       const text::ChatTemplate& chat_template) {
    const ByteTokenizer tokenizer;
    Learned result;
    for (const dataset::Tree& tree : trees) {
        for (const NodePath& path : paths(tree, options.paths)) {
            text::Tokens tokens;
            for (const int node : path) {
                const auto begin = tokens.ids.size();
                chat_template.appendTurn(tokenizer, {tree.nodes[node].role, tree.nodes[node].text},
                                         tree.nodes[node].parent < 0, tokens);
                const bool last_only = options.paths == PathPolicy::Replies || options.paths == PathPolicy::Tree;
                if (last_only && node != path.back()) continue;
                for (auto i = begin; i < tokens.ids.size(); ++i) {
                    if (options.max_seq_length > 0 && i >= static_cast<std::size_t>(options.max_seq_length)) break;
                    if (i == 0) continue;
                    const auto kind = tokens.kinds[i];
                    if (options.train_on == TrainOn::Assistant && kind != text::SpanKind::AssistantText &&
                        kind != text::SpanKind::AssistantEnd)
                        continue;
                    ++result[{hashOf(std::span(tokens.ids).first(i)), tokens.ids[i]}];
                }
            }
        }
    }
    return result;
}

// The tokens that a row of a batch sees, itself included.
inline std::vector<int> seen(const dataset::Batch& batch, const dataset::Segment& segment, int row) {
    std::vector<int> tokens;
    for (const dataset::Range& range : segment.context)
        tokens.insert(tokens.end(), batch.tokens.begin() + range.begin, batch.tokens.begin() + range.end);
    tokens.insert(tokens.end(), batch.tokens.begin() + segment.begin, batch.tokens.begin() + row + 1);
    return tokens;
}

inline const dataset::Segment& segmentOf(const dataset::Batch& batch, int row) {
    return *std::find_if(batch.segments.begin(), batch.segments.end(),
                         [row](const dataset::Segment& s) { return row < s.end; });
}

inline void addLearned(const dataset::Batch& batch, Learned& into) {
    for (const dataset::Target& target : batch.targets)
        ++into[{hashOf(seen(batch, segmentOf(batch, target.row), target.row)), target.token}];
}

}  // namespace studio::test
