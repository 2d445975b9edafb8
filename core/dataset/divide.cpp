#include "dataset/divide.h"

#include <algorithm>
#include <set>
#include <utility>

namespace studio::dataset {
namespace {

// Part of a group in the making: subtrees below one span, without that span's ancestors.
struct Bundle {
    int rows = 0;
    std::vector<int> spans;  // unsorted
};

// Best fit decreasing: from the largest bundle on, each joins the one it fills up most.
std::vector<Bundle> join(std::vector<Bundle> bundles, int capacity) {
    std::stable_sort(bundles.begin(), bundles.end(), [](const Bundle& a, const Bundle& b) { return a.rows > b.rows; });
    std::vector<Bundle> joined;
    std::set<std::pair<int, int>> room;  // rows left, index into `joined`
    for (Bundle& bundle : bundles) {
        const auto fit = room.lower_bound({bundle.rows, -1});
        if (fit == room.end()) {
            room.emplace(capacity - bundle.rows, static_cast<int>(joined.size()));
            joined.push_back(std::move(bundle));
            continue;
        }
        const auto [left, index] = *fit;
        room.erase(fit);
        room.emplace(left - bundle.rows, index);
        Bundle& into = joined[index];
        into.rows += bundle.rows;
        if (into.spans.size() < bundle.spans.size()) into.spans.swap(bundle.spans);
        into.spans.insert(into.spans.end(), bundle.spans.begin(), bundle.spans.end());
    }
    return joined;
}

}  // namespace

std::vector<Group> divide(std::span<const Span> spans, int max_rows) {
    const int n = static_cast<int>(spans.size());
    std::vector<std::int64_t> subtree(n);
    for (int v = n - 1; v >= 0; --v) {
        subtree[v] += spans[v].size();
        if (spans[v].parent >= 0) subtree[spans[v].parent] += subtree[v];
    }
    // A subtree stays whole if it fits together with the ancestors it needs (`position` rows). whole[v]: the first span
    // of the largest such subtree around v, -1 if there is none.
    std::vector<int> whole(n);
    std::vector<std::vector<int>> members(n);
    for (int v = 0; v < n; ++v) {
        const int above = spans[v].parent < 0 ? -1 : whole[spans[v].parent];
        whole[v] = above >= 0 ? above : spans[v].position + subtree[v] <= max_rows ? v : -1;
        if (whole[v] >= 0) members[whole[v]].push_back(v);
    }

    // From the last span to the first, so that children come before their parents. below[v]: bundles hanging on v,
    // below[n] those that begin at a root.
    std::vector<std::vector<Bundle>> below(n + 1);
    for (int v = n - 1; v >= 0; --v) {
        auto& up = below[spans[v].parent < 0 ? n : spans[v].parent];
        if (whole[v] == v) up.push_back({static_cast<int>(subtree[v]), std::move(members[v])});
        if (whole[v] >= 0) continue;
        for (Bundle& bundle : join(std::move(below[v]), max_rows - spans[v].position - spans[v].size())) {
            bundle.rows += spans[v].size();
            bundle.spans.push_back(v);
            up.push_back(std::move(bundle));
        }
    }

    std::vector<Group> groups;
    for (Bundle& bundle : join(std::move(below[n]), max_rows)) {
        std::sort(bundle.spans.begin(), bundle.spans.end());
        Group group;
        for (const int span : bundle.spans) group.push_back({span, true});
        groups.push_back(std::move(group));
    }
    const auto spans_of = [](const Group& a, const Group& b) {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                            [](const GroupSpan& x, const GroupSpan& y) { return x.span < y.span; });
    };
    std::sort(groups.begin(), groups.end(), spans_of);
    std::vector<bool> supervised(n);
    for (Group& group : groups) {
        for (GroupSpan& member : group) {
            member.supervised = !supervised[member.span];
            supervised[member.span] = true;
        }
    }
    return groups;
}

}  // namespace studio::dataset
