// A tree that is larger than a micro-batch, divided into groups of subtrees.
#pragma once

#include <span>
#include <vector>

#include "dataset/examples.h"

namespace studio::dataset {

struct GroupSpan {
    int span = 0;            // index within the example
    bool supervised = true;  // false: repeated for what stands below it, without targets of its own
    bool operator==(const GroupSpan&) const = default;
};
using Group = std::vector<GroupSpan>;  // ascending by span, every ancestor included

// Groups of at most `max_rows` rows in which every span is supervised exactly once. Largest subtrees that fit stay
// whole; the rest is joined from the leaves up by best fit, which keeps the repeated rows (ancestors shared by several
// groups) few. Requires that every path from a root to a span fits. O(n log n) in the number of spans, plus the groups'
// size.
std::vector<Group> divide(std::span<const Span> spans, int max_rows);

}  // namespace studio::dataset
