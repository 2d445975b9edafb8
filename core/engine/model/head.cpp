#include "engine/model/head.h"

#include <algorithm>

#include "base/job.h"
#include "engine/kernels/gemm.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/rows.h"

namespace studio::engine {

using kernels::gemm;
using kernels::Matrix;
using kernels::Op;

HeadBuffers HeadBuffers::top(std::int64_t rows) const {
    return {hidden.top(rows), normed.top(rows), dhidden.top(rows), logits, mean, rstd, nll};
}

std::int64_t Head::chunkRows(std::int64_t vocab) {
    constexpr std::int64_t kFloats = 2 << 20;  // 8 MB of logits stay in the cache between product, softmax and product
    return std::clamp<std::int64_t>(kFloats / vocab, 32, 4096);
}

Result<void> Head::loss(kernels::Stream stream, const Matrix& x, const RowPlan& plan, const HeadBuffers& buffers,
                        bool gradient, float* nll, std::vector<float>* kept, const std::stop_token& stop) const {
    const std::int64_t rows = plan.targetRows(), vocab = weights.head.matrix.rows;
    if (kept != nullptr) kept->resize(static_cast<std::size_t>(rows * vocab));
    kernels::gatherRows(stream, x, plan.target_row.data(), buffers.hidden);
    kernels::layerNorm(stream, buffers.hidden, weights.norm_weight, weights.norm_bias, norm_epsilon, buffers.normed,
                       buffers.mean, buffers.rstd);
    for (std::int64_t begin = 0; begin < rows; begin += buffers.logits.rows) {
        if (stop.stop_requested()) return cancelled();
        const std::int64_t count = std::min(buffers.logits.rows, rows - begin);
        const Matrix logits = buffers.logits.top(count), normed = buffers.normed.rowRange(begin, count);
        kernels::fillRows(stream, weights.head_bias, logits);
        gemm(stream, Op::Plain, Op::Transposed, 1, normed, weights.head.matrix, 1, logits);
        if (kept != nullptr) kernels::download(stream, logits, kept->data() + begin * vocab);
        kernels::RowTargets targets = plan.targets();
        targets.begin += begin;
        kernels::crossEntropy(stream, logits, targets, buffers.nll, gradient);
        // The gradient of the LayerNorm's output takes the output's place once the chunk has been read.
        if (gradient) gemm(stream, Op::Plain, Op::Plain, 1, logits, weights.head.matrix, 0, normed);
    }
    const auto count = static_cast<std::int64_t>(plan.target_token.size());
    kernels::download(stream, kernels::matrix(buffers.nll, 1, count), nll);
    if (!gradient) return {};
    kernels::clearRows(stream, buffers.dhidden);
    kernels::layerNormBackward(stream, buffers.normed, buffers.hidden, weights.norm_weight, buffers.mean, buffers.rstd,
                               buffers.dhidden);
    return {};
}

void Head::logits(kernels::Stream stream, const Matrix& rows, const HeadBuffers& buffers,
                  std::span<float* const> out) const {
    const Matrix normed = buffers.normed.top(rows.rows);
    kernels::layerNorm(stream, rows, weights.norm_weight, weights.norm_bias, norm_epsilon, normed, buffers.mean,
                       buffers.rstd);
    for (std::int64_t begin = 0; begin < rows.rows; begin += buffers.logits.rows) {
        const Matrix logits = buffers.logits.top(std::min(buffers.logits.rows, rows.rows - begin));
        kernels::fillRows(stream, weights.head_bias, logits);
        gemm(stream, Op::Plain, Op::Transposed, 1, normed.rowRange(begin, logits.rows), weights.head.matrix, 1, logits);
        for (std::int64_t i = 0; i < logits.rows; ++i)
            kernels::download(stream, logits.rowRange(i, 1), out[static_cast<std::size_t>(begin + i)]);
    }
}

}  // namespace studio::engine
