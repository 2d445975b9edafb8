#include "dataset/paths.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

namespace studio::dataset {
namespace {

using text::Role;

constexpr std::array<std::pair<PathPolicy, std::string_view>, 4> kPolicies{{{PathPolicy::Best, "best"},
                                                                            {PathPolicy::Leaves, "leaves"},
                                                                            {PathPolicy::Replies, "replies"},
                                                                            {PathPolicy::Tree, "tree"}}};

bool mayFollow(Role parent, Role role) {
    return role == (parent == Role::Prompter ? Role::Assistant : Role::Prompter);
}

}  // namespace

std::string_view name(PathPolicy policy) {
    for (const auto& [value, text] : kPolicies)
        if (value == policy) return text;
    return {};
}

Result<PathPolicy> pathPolicy(std::string_view name) {
    for (const auto& [value, text] : kPolicies)
        if (text == name) return value;
    return fail(ErrorCode::InvalidArgument, "There is no path policy “" + std::string(name) + "”.",
                "Use best, leaves, replies or tree.");
}

TreeIndex::TreeIndex(const Tree& tree)
    : tree_(&tree),
      in_order_(tree.nodes.size()),
      used_(tree.nodes.size()),
      first_child_(tree.nodes.size(), -1),
      next_sibling_(tree.nodes.size(), -1) {
    const auto& nodes = tree.nodes;
    const int n = static_cast<int>(nodes.size());

    for (int i = 0; i < n; ++i) {
        const int parent = nodes[i].parent;
        if (parent < 0)
            in_order_[i] = first_ < 0 && nodes[i].role != Role::Assistant;
        else
            in_order_[i] = in_order_[parent] && mayFollow(nodes[parent].role, nodes[i].role);
        if (in_order_[i] && parent < 0) first_ = i;
        if (!in_order_[i]) ++out_of_order_;
    }
    for (int i = n - 1; i >= 0;
         --i) {  // backwards, so that children end up in file order and come before their parents
        if (!in_order_[i]) continue;
        if (nodes[i].role == Role::Assistant) used_[i] = true;
        const int parent = nodes[i].parent;
        if (parent < 0) continue;
        if (used_[i]) used_[parent] = true;
        next_sibling_[i] = first_child_[parent];
        first_child_[parent] = i;
    }

    std::vector<int> open;
    if (first_ >= 0 && used_[first_]) open.push_back(first_);
    while (!open.empty()) {
        const int node = open.back();
        open.pop_back();
        depth_first_.push_back(node);
        const std::size_t before = open.size();
        for (int child = first_child_[node]; child >= 0; child = next_sibling_[child])
            if (used_[child]) open.push_back(child);
        std::reverse(open.begin() + static_cast<std::ptrdiff_t>(before), open.end());
    }
}

std::vector<int> TreeIndex::pathEnds(PathPolicy policy) const {
    if (!hasReply()) return {};
    switch (policy) {
        case PathPolicy::Best:
            return {bestEnd()};
        case PathPolicy::Leaves:
            return leafEnds();
        case PathPolicy::Replies: {
            std::vector<int> ends;
            for (int i = 0; i < static_cast<int>(used_.size()); ++i)
                if (used_[i] && tree_->nodes[i].role == Role::Assistant) ends.push_back(i);
            return ends;
        }
        case PathPolicy::Tree:
            break;
    }
    return {};
}

// At each level the assistant reply of lowest rank, unranked after ranked, then file order; of several prompter
// messages the first in file order that has an assistant reply.
int TreeIndex::bestEnd() const {
    const auto rank = [&](int node) {
        return tree_->nodes[node].rank ? std::int64_t{*tree_->nodes[node].rank}
                                       : std::numeric_limits<std::int64_t>::max();
    };
    int end = first_;
    for (;;) {
        int best = -1;
        for (int child = first_child_[end]; child >= 0; child = next_sibling_[child]) {
            if (!used_[child]) continue;
            if (best < 0) best = child;
            if (tree_->nodes[child].role == Role::Prompter) break;
            if (rank(child) < rank(best)) best = child;
        }
        if (best < 0) return end;
        end = best;
    }
}

// A prompter turn that nobody answered is dropped from its path; the paths that then end on the same message are one.
std::vector<int> TreeIndex::leafEnds() const {
    std::vector<int> ends;
    std::vector<bool> taken(used_.size());
    for (int i = 0; i < static_cast<int>(used_.size()); ++i) {
        if (!in_order_[i] || first_child_[i] >= 0) continue;
        int end = i;
        while (end >= 0 && tree_->nodes[end].role != Role::Assistant) end = tree_->nodes[end].parent;
        if (end < 0 || taken[end]) continue;
        taken[end] = true;
        ends.push_back(end);
    }
    return ends;
}

std::vector<int> TreeIndex::pathTo(int end) const {
    std::vector<int> path;
    for (int node = end; node >= 0; node = tree_->nodes[node].parent) path.push_back(node);
    std::reverse(path.begin(), path.end());
    return path;
}

}  // namespace studio::dataset
