// What a GpuPhi holds; shared by its parts.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "config/model_config.h"
#include "engine/gpu/adapter.h"
#include "engine/gpu/gpu_phi.h"
#include "engine/gpu/head.h"
#include "engine/gpu/kv_cache.h"
#include "engine/gpu/layouts.h"
#include "engine/gpu/residuals.h"

namespace studio::engine::gpu {

struct GpuPhi::State {
    config::PhiConfig config;
    api::ModelInfo info;
    int card = 0;
    Stream stream = nullptr;
    Logger* log = nullptr;
    Memory gemm_workspace, rope_memory;
    std::unique_ptr<kernels::gpu::Gemm> gemm;
    Weights weights;
    Geometry geometry;
    std::unique_ptr<GpuAdapter> adapter;
    std::uint64_t adapter_number = 0;  // another one for each adapter, and after decoding's buffers were given back

    // Training and evaluation.
    Layouts layouts;
    std::optional<MemoryMode> mode;  // of training, once chosen
    Memory memory, expanded;         // expanded: linears that stay so, where there is room
    Workspace workspace;
    Residuals residuals;
    RowPlan plan;
    BatchUpload upload;
    DeviceBatch batch;
    Pass pass;
    std::stop_token stop;
    bool pending = false;
    std::vector<kernels::gpu::AttentionStateHandle> attention;  // a kept layer
    std::vector<float> kept_logits;
    HostRow host;

    // Decoding has buffers of its own, so that it may come between forward and backward.
    DecodeBuffers decode;

    void setAdapter(std::unique_ptr<GpuAdapter> next);
    WorkspaceShape workspaceShape() const;
    Result<void> reserve(const Limits& wanted);
    Result<void> allocate();
    Result<void> reserveResiduals(std::uint64_t available);
    Error tooLarge(std::uint64_t available) const;
    Result<void> expandLinears(std::uint64_t available);
    // Points the workspace at the linears that stay expanded, or says that there are none.
    void divideExpanded();
    Block block(int layer) const {
        const BlockLora* lora = adapter && pass.strength != 0 ? &adapter->block(layer) : nullptr;
        return {pass, geometry, weights.blocks[static_cast<std::size_t>(layer)], lora, layer, workspace};
    }
    Head head() const { return {weights, pass, geometry.norm_epsilon}; }
};

inline Error outOfHostMemory(const char* what) {
    return {ErrorCode::OutOfMemory, std::string("There is not enough memory for ") + what + ".",
            "Close other programs, or use a smaller batch, shorter sequences or a smaller model."};
}

}  // namespace studio::engine::gpu
