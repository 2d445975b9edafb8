#include "engine/model/row_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace studio::engine {
namespace {

tl::unexpected<Error> outside(std::string_view what, int value, int bound) {
    return fail(ErrorCode::OutOfRange,
                fmt::format("The batch has the {} {}, but the model's go from 0 to {}.", what, value, bound - 1),
                what == "position" ? "Use a max_seq_length within the model's context."
                                   : "Prepare the data with the tokenizer of this model.");
}

Result<void> checkRange(std::string_view what, const std::vector<int>& values, int bound) {
    for (const int value : values)
        if (value < 0 || value >= bound) return outside(what, value, bound);
    return {};
}

void planKeys(RowPlan& plan, const dataset::Batch& batch) {
    plan.cu_q = {0};
    bool context = false;
    for (const auto& segment : batch.segments) {
        plan.cu_q.push_back(segment.end);
        context = context || !segment.context.empty();
    }
    if (!context) return;
    plan.cu_k = {0};
    for (const auto& segment : batch.segments) {
        for (const auto& range : segment.context)
            for (int row = range.begin; row < range.end; ++row) plan.key_row.push_back(row);
        for (int row = segment.begin; row < segment.end; ++row) plan.key_row.push_back(row);
        plan.cu_k.push_back(plan.keyRows());
    }
    // Counting sort of the keys by row keeps them ascending within each row.
    plan.reader_begin.assign(batch.tokens.size() + 1, 0);
    for (const int row : plan.key_row) ++plan.reader_begin[static_cast<std::size_t>(row) + 1];
    for (std::size_t i = 1; i < plan.reader_begin.size(); ++i) plan.reader_begin[i] += plan.reader_begin[i - 1];
    std::vector<int> next = plan.reader_begin;
    plan.readers.resize(plan.key_row.size());
    for (int key = 0; key < plan.keyRows(); ++key)
        plan.readers[static_cast<std::size_t>(
            next[static_cast<std::size_t>(plan.key_row[static_cast<std::size_t>(key)])]++)] = key;
}

void planTargets(RowPlan& plan, const dataset::Batch& batch) {
    for (std::size_t i = 0; i < batch.targets.size(); ++i) {
        const auto& target = batch.targets[i];
        if (plan.target_row.empty() || plan.target_row.back() != target.row) {
            plan.target_row.push_back(target.row);
            plan.target_begin.push_back(static_cast<int>(i));
        }
        plan.target_token.push_back(target.token);
        plan.target_weight.push_back(target.weight);
    }
    plan.target_begin.push_back(static_cast<int>(batch.targets.size()));
}

}  // namespace

Result<RowPlan> RowPlan::make(const dataset::Batch& batch, int vocab, int positions) {
    STUDIO_CHECK(batch.check());
    RowPlan plan;
    plan.tokens = batch.tokens;
    plan.positions = batch.positions;
    STUDIO_CHECK(checkRange("token", plan.tokens, vocab));
    STUDIO_CHECK(checkRange("position", plan.positions, positions));
    planKeys(plan, batch);
    planTargets(plan, batch);
    STUDIO_CHECK(checkRange("target token", plan.target_token, vocab));
    for (const float weight : plan.target_weight)
        if (!std::isfinite(weight))
            return fail(ErrorCode::InvalidArgument, "The batch has a target whose weight is not finite.");
    return plan;
}

}  // namespace studio::engine
