#include "dataset/batch/batch.h"

#include <fmt/format.h>

namespace studio::dataset {
namespace {

tl::unexpected<Error> broken(std::string what) {
    return fail(ErrorCode::Internal, "A batch is malformed: " + std::move(what), "This is a fault of the program.");
}

}  // namespace

Result<void> Batch::check() const {
    const int n = rows();
    if (positions.size() != tokens.size()) return broken("tokens and positions differ in number.");
    int next_row = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Segment& s = segments[i];
        if (s.begin != next_row || s.end <= s.begin || s.end > n)
            return broken(fmt::format("segment {} does not continue the tiling of the rows.", i));
        next_row = s.end;
        if (s.sample < 0 || s.sample >= static_cast<int>(samples.size()))
            return broken(fmt::format("segment {} names no sample.", i));
        int context_rows = 0, last_end = 0;
        for (const Range& c : s.context) {
            if (c.begin < last_end || c.end <= c.begin || c.end > s.begin)
                return broken(fmt::format("segment {} has a context that is not earlier rows in order.", i));
            last_end = c.end;
            context_rows += c.size();
        }
        for (int row = s.begin; row < s.end; ++row) {
            if (positions[row] != context_rows + row - s.begin)
                return broken(
                    fmt::format("row {} has position {}, not {}.", row, positions[row], context_rows + row - s.begin));
        }
    }
    if (next_row != n) return broken("the segments do not cover all rows.");
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].row < 0 || targets[i].row >= n) return broken(fmt::format("target {} has no row.", i));
        if (i > 0 && targets[i].row < targets[i - 1].row) return broken("the targets are not sorted by row.");
    }
    return {};
}

}  // namespace studio::dataset
