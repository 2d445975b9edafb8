// Keys and values of one sequence on the GPU, and what decoding needs besides.
#pragma once

#include "engine/gpu/block.h"
#include "engine/gpu/head.h"
#include "engine/model/phi_model.h"

namespace studio::engine::gpu {

class GpuKvCache final : public KvCache {
  public:
    static Result<std::unique_ptr<GpuKvCache>> make(int layers, std::int64_t kv, int capacity, Stream stream);

    int size() const noexcept override { return size_; }
    int capacity() const noexcept override { return capacity_; }
    void truncate(int size) noexcept override {
        size_ = size < 0 ? 0 : (size < size_ ? size : size_);
        token.ahead = {};
    }
    void setSize(int size) noexcept { size_ = size; }
    ~GpuKvCache() override { (void)token.finish(); }

    // One token of this cache, recorded; see token_graph.h. Two take turns: while the host reads the logits of one, the
    // other may already compute the token behind it.
    struct Token {
        struct Turn {
            kernels::gpu::Graph graph;
            kernels::gpu::Event drawn, done;  // when `host` has the id; when it has the logits
            Pinned host;                      // id and position; behind them the logits
        };
        Turn turns[2];
        Memory logits;  // on the device, of the turn that ended last
        int now = 0;    // the turn last asked for
        float strength = 0;
        std::uint64_t adapter = 0;  // State::adapter_number they were recorded with

        // What the other turn computes, begun before it was asked for.
        struct Ahead {
            int position = -1;         // −1: nothing
            std::uint64_t values = 0;  // GpuAdapter::changes() then
        };
        Ahead ahead;
        int tokens_to_wait = 0;  // after a wrong guess, until the next one

        Result<void> finish() const {
            for (const Turn& turn : turns) STUDIO_CHECK(turn.done.wait());
            return {};
        }
    };
    Token token;

    // [capacity, kv] of a layer, bf16.
    Matrix keys(int layer) const { return at(2 * layer); }
    Matrix values(int layer) const { return at(2 * layer + 1); }

  private:
    Matrix at(int index) const {
        return bf16Matrix(memory_.data() + static_cast<std::int64_t>(index) * capacity_ * kv_ * 2, capacity_, kv_, kv_);
    }
    Memory memory_;
    std::int64_t kv_ = 0;
    int size_ = 0, capacity_ = 0;
};

// Buffers of a pass that appends rows to a cache.
struct DecodeBuffers {
    Memory memory;
    Workspace workspace;
    Limits limits;
    bool laid_out = false;
    Pinned host;    // tokens, positions and offsets on their way
    Memory device;  // and there
    HostRow logits;
    // Of one token: everything between its id and its logits.
    Memory token_memory;
    bool token_laid_out = false;
};

}  // namespace studio::engine::gpu
