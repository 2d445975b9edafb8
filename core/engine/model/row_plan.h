// A batch as the kernels want it: which rows are queries and keys of which sequence, and which rows have targets.
#pragma once

#include <vector>

#include "base/result.h"
#include "dataset/batch/batch.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/cross_entropy.h"

namespace studio::engine {

struct RowPlan {
    // Error where the batch breaks an invariant, or has a token or position outside the model's range.
    static Result<RowPlan> make(const dataset::Batch& batch, int vocab, int positions);

    int rows() const { return static_cast<int>(tokens.size()); }
    int keyRows() const { return static_cast<int>(key_row.size()); }
    bool hasContext() const { return !key_row.empty(); }
    int targetRows() const { return static_cast<int>(target_row.size()); }
    kernels::Sequences sequences() const { return {cu_q, hasContext() ? std::span(cu_k) : std::span(cu_q)}; }
    kernels::RowTargets targets() const { return {target_begin.data(), target_token.data(), target_weight.data()}; }

    std::vector<int> tokens, positions;
    std::vector<int> cu_q, cu_k;  // one sequence a segment
    // With context: the keys of all sequences one after the other, as rows of the batch; and for each row of the batch
    // where it stands among them (reader_begin[row] … reader_begin[row + 1] of readers, ascending).
    std::vector<int> key_row, reader_begin, readers;
    std::vector<int> target_row;  // distinct, ascending
    std::vector<int> target_begin, target_token;
    std::vector<float> target_weight;
};

}  // namespace studio::engine
