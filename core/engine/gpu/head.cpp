#include "engine/gpu/head.h"

#include <algorithm>
#include <cstring>

#include "base/job.h"
#include "engine/kernels/cross_entropy_cuda.h"
#include "engine/kernels/half_cpu.h"
#include "engine/kernels/layer_norm_cuda.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;
using kernels::Op;

Result<void> HostRow::reserve(std::size_t bytes) {
    if (bytes <= memory_.bytes()) return {};
    memory_ = {};
    STUDIO_TRY(memory_, Pinned::allocate(bytes));
    return {};
}

Result<void> Head::download(const Matrix& logits, float* out, HostRow& host) const {
    const auto count = static_cast<std::size_t>(logits.rows * logits.cols);
    STUDIO_CHECK(host.reserve(count * 2));
    STUDIO_CHECK(k::copyToHost(pass.stream, host.data(), logits.data, count * 2));
    STUDIO_CHECK(k::finish(pass.stream));
    const auto* halves = reinterpret_cast<const std::uint16_t*>(host.data());
    for (std::size_t i = 0; i < count; ++i) out[i] = kernels::fromBfloat16(halves[i]);
    return {};
}

Result<void> Head::loss(const Matrix& x, const RowPlan& plan, const DeviceBatch& batch, const Workspace& ws,
                        bool gradient, std::span<float> nll, std::vector<float>* kept, HostRow& host,
                        const std::stop_token& stop) const {
    const std::int64_t rows = plan.targetRows(), vocab = weights.head.rows;
    if (kept != nullptr) kept->resize(static_cast<std::size_t>(rows * vocab));
    const Matrix hidden = ws.hidden.top(rows), all_normed = ws.normed.top(rows);
    k::gatherRows(pass.stream, x, batch.target_row, hidden);
    k::layerNorm(pass.stream, hidden, weights.norm_weight, weights.norm_bias, norm_epsilon, all_normed, ws.head_mean,
                 ws.head_rstd);
    for (std::int64_t begin = 0; begin < rows; begin += ws.logits.rows) {
        if (stop.stop_requested()) return cancelled();
        const std::int64_t count = std::min(ws.logits.rows, rows - begin);
        const Matrix logits = ws.logits.top(count), normed = all_normed.rowRange(begin, count);
        STUDIO_CHECK(pass.gemm->run(pass.stream, Op::Plain, Op::Transposed, 1, normed, weights.head, 0, logits, logits,
                                    weights.head_bias));
        if (kept != nullptr) STUDIO_CHECK(download(logits, kept->data() + begin * vocab, host));
        k::crossEntropy(pass.stream, logits, batch.targets, begin, ws.nll, gradient);
        // The gradient of the LayerNorm's output takes the output's place once the chunk has been read.
        if (gradient) STUDIO_CHECK(pass.gemm->run(pass.stream, Op::Plain, Op::Plain, logits, weights.head, normed));
    }
    if (gradient)
        k::layerNormBackward(pass.stream, all_normed, hidden, weights.norm_weight, ws.head_mean, ws.head_rstd, false,
                             all_normed);
    STUDIO_CHECK(k::launched("computing the loss"));
    if (nll.empty()) return {};
    STUDIO_CHECK(host.reserve(nll.size_bytes()));
    STUDIO_CHECK(k::copyToHost(pass.stream, host.data(), ws.nll, nll.size_bytes()));
    STUDIO_CHECK(k::finish(pass.stream));
    std::memcpy(nll.data(), host.data(), nll.size_bytes());
    return {};
}

Result<void> Head::logits(const Matrix& row, const Workspace& ws, std::span<float> out, HostRow& host) const {
    const Matrix normed = ws.normed.top(1), logits = ws.logits.top(1);
    k::layerNorm(pass.stream, row, weights.norm_weight, weights.norm_bias, norm_epsilon, normed, ws.head_mean,
                 ws.head_rstd);
    STUDIO_CHECK(pass.gemm->run(pass.stream, Op::Plain, Op::Transposed, 1, normed, weights.head, 0, logits, logits,
                                weights.head_bias));
    return download(logits, out.data(), host);
}

}  // namespace studio::engine::gpu
