// Final LayerNorm, head and loss, on the rows that have targets only.
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "engine/kernels/matrix.h"
#include "engine/model/base_weights.h"
#include "engine/model/row_plan.h"

namespace studio::engine {

struct HeadBuffers {
    kernels::Matrix hidden, normed;  // [target rows, hidden]
    kernels::Matrix dhidden;         // like hidden; gradient before the final LayerNorm
    kernels::Matrix logits;          // [rows of one chunk, vocab]
    float *mean = nullptr, *rstd = nullptr;
    float* nll = nullptr;  // [targets]

    HeadBuffers top(std::int64_t rows) const;
};

struct Head {
    const BaseWeights& weights;
    float norm_epsilon = 1e-5f;

    // Rows of logits computed at a time.
    static std::int64_t chunkRows(std::int64_t vocab);

    // nll of every target. With `gradient` also dhidden = d(Σ w·nll)/d(hidden row). With `kept`, it
    // gets the logits of all target rows.
    Result<void> loss(kernels::Stream stream, const kernels::Matrix& x, const RowPlan& plan, const HeadBuffers& buffers,
                      bool gradient, float* nll, std::vector<float>* kept, const std::stop_token& stop) const;

    // Logits of rows of the residual stream, [vocab] each; as many as the buffers have target rows.
    void logits(kernels::Stream stream, const kernels::Matrix& rows, const HeadBuffers& buffers,
                std::span<float* const> out) const;
};

}  // namespace studio::engine
