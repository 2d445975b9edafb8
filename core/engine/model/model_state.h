// What a PhiModel holds; shared by its parts.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "config/model_config.h"
#include "engine/kernels/rope_table.h"
#include "engine/model/cpu_phi.h"
#include "engine/model/kv_cache.h"
#include "engine/model/workspace.h"

namespace studio::engine {

inline Error outOfMemory(const char* what) {
    return {ErrorCode::OutOfMemory, std::string("There is not enough memory for ") + what + ".",
            "Close other programs, or use a smaller batch, shorter sequences or a smaller model."};
}

struct CpuPhi::State {
    config::PhiConfig config;
    api::ModelInfo info;
    BaseWeights weights;
    kernels::RotaryEmbedding rotary;
    BlockGeometry geometry;
    std::optional<Adapter> adapter;

    // Training and evaluation.
    Limits limits;          // that were asked for
    bool laid_out = false;  // false after the adapter changed
    kernels::Buffer memory;
    Workspace workspace;
    RowPlan plan;  // of the last forward
    PassOptions pass;
    std::stop_token stop;
    bool pending = false;  // a training forward waits for its backward
    std::vector<float> kept_logits;

    // Decoding has buffers of its own, so that it may come between forward and backward.
    kernels::Buffer decode_memory;
    Workspace decode;
    bool decode_laid_out = false;

    void setAdapter(std::optional<Adapter> next);
    WorkspaceShape workspaceShape(const Limits& wanted) const;
    Result<void> reserve(const Limits& wanted);
    Result<void> reserveDecoding();
    Result<void> decodeEach(std::span<const NextToken> next);
    Result<void> decodeRows(PhiKvCache& cache, int begin, std::span<const int> tokens, float strength,
                            std::span<float> last_logits);
    // The base model's at strength 0.
    Block block(int layer, float strength) const {
        const auto at = static_cast<std::size_t>(layer);
        return {geometry, weights.blocks[at], adapter && strength != 0 ? &adapter->blocks[at] : nullptr, layer};
    }
    Head head() const { return {weights, geometry.norm_epsilon}; }
};

}  // namespace studio::engine
