// Final LayerNorm, head and loss on the GPU, on the rows that have targets only.
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "engine/gpu/block.h"

namespace studio::engine::gpu {

// What arrives from the device at the end of a pass.
class HostRow {
  public:
    Result<void> reserve(std::size_t bytes);
    std::byte* data() const { return memory_.data(); }

  private:
    Pinned memory_;
};

struct Head {
    const Weights& weights;
    const Pass& pass;
    float norm_epsilon = 1e-5f;

    // nll of every target (nats). With `gradient`, ws.normed becomes d(Σ w·nll)/d(hidden row). With `kept`, it gets the
    // logits of all target rows.
    Result<void> loss(const Matrix& x, const RowPlan& plan, const DeviceBatch& batch, const Workspace& ws,
                      bool gradient, std::span<float> nll, std::vector<float>* kept, HostRow& host,
                      const std::stop_token& stop) const;

    // Logits of one row of the residual stream, [vocab].
    Result<void> logits(const Matrix& row, const Workspace& ws, std::span<float> out, HostRow& host) const;

  private:
    Result<void> download(const Matrix& logits, float* out, HostRow& host) const;
};

}  // namespace studio::engine::gpu
