// The residual stream before each layer in the computer's memory, between forward and backward of a run that keeps
// nothing else: for a copy each way, which runs beside the layers, the card holds two layers of it instead of all.
#pragma once

#include "engine/kernels/gpu.h"

namespace studio::engine::gpu {

class Residuals {
  public:
    Residuals() = default;
    ~Residuals() { release(); }
    Residuals(const Residuals&) = delete;
    Residuals& operator=(const Residuals&) = delete;

    // Room for `bytes` or more. It is pinned, so other programs lose it: OutOfMemory above half of what is available.
    Result<void> reserve(int card, std::size_t bytes);
    void release() noexcept;
    // Waits for the copies.
    Result<void> finish() const;
    std::size_t bytes() const { return memory_.bytes(); }

    // Layers are counted from the first that is kept, `x` is their residual stream, rows without gaps. Two buffers take
    // turns, so what is in one of them belongs to layer, layer + 2, …; `compute` is the stream of the layers.
    //
    // Before something is written into the layer's buffer.
    Result<void> beforeWriting(int layer, kernels::Stream compute) const;
    // Its content is complete: copies it out.
    Result<void> save(int layer, const kernels::Matrix& x, kernels::Stream compute);
    // What the layers have put into `compute` so far is done with the buffer: brings the content back.
    Result<void> fetch(int layer, const kernels::Matrix& x, kernels::Stream compute);
    // Before the content is read.
    Result<void> beforeReading(int layer, kernels::Stream compute) const { return beforeWriting(layer, compute); }

  private:
    std::byte* place(int layer, const kernels::Matrix& x) const;

    kernels::Stream copies_ = nullptr;
    kernels::gpu::Pinned memory_;
    kernels::gpu::Event ready_;       // in `compute`
    kernels::gpu::Event settled_[2];  // the last copy of each buffer
};

}  // namespace studio::engine::gpu
