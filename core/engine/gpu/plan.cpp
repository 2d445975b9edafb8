#include "engine/gpu/plan.h"

#include <algorithm>
#include <map>

#include "engine/gpu/adapter.h"
#include "engine/kernels/gemm_cuda.h"
#include "engine/model/load_weights.h"

namespace studio::engine::gpu {
namespace {

// The allocator hands out whole multiples.
std::uint64_t held(std::int64_t bytes) {
    return (static_cast<std::uint64_t>(bytes) + 511) / 512 * 512;
}

// Widths of u by block, and the number of adapter weights.
struct Adapted {
    std::int64_t input = 0, dense = 0, fc2 = 0, weights = 0;
    int lowest = 0;
};

Result<Adapted> adapted(const BlockShape& shape, int layers, const api::LoraSpec& spec) {
    std::map<std::string, std::int64_t> rank;
    for (const api::LoraModule& module : spec.modules) rank[module.name] = module.r;
    Adapted all;
    all.lowest = layers;
    std::size_t found = 0;
    for (int layer = 0; layer < layers; ++layer) {
        std::int64_t input = 0;
        for (int l = 0; l < kLinears; ++l) {
            const auto linear = static_cast<Linear>(l);
            const auto at = rank.find(linearName(layer, linear));
            if (at == rank.end()) continue;
            ++found;
            const std::int64_t width = roundUp8(at->second);
            all.weights += at->second * (shape.in(linear) + shape.out(linear));
            all.lowest = std::min(all.lowest, layer);
            if (linear == Linear::Dense)
                all.dense = std::max(all.dense, width);
            else if (linear == Linear::Fc2)
                all.fc2 = std::max(all.fc2, width);
            else
                input += width;
        }
        all.input = std::max(all.input, input);
    }
    if (found != rank.size() || found == 0)
        return fail(ErrorCode::InvalidArgument, "The adapter names a linear that the model does not have, or none.",
                    "Look at target_modules.");
    return all;
}

// With Selective the lowest layers keep nothing: a tenth of them costs 3 % of the time for 6 % of the memory.
int fewestRecomputed(const WorkspaceShape& shape) {
    return (shape.layers - shape.lowest) / 10;
}

}  // namespace

const char* nameOf(MemoryMode mode) {
    switch (mode) {
        case MemoryMode::KeepAll:
            return "keep_all";
        case MemoryMode::Selective:
            return "selective";
        default:
            return "recompute";
    }
}

void chooseMode(WorkspaceShape& shape, const Limits& limits, std::uint64_t available) {
    shape.mode = limits.memory == MemoryMode::Auto ? MemoryMode::KeepAll : limits.memory;
    shape.recomputed = shape.mode == MemoryMode::Selective ? fewestRecomputed(shape) : 0;
    while (limits.training && limits.memory == MemoryMode::Auto && shape.mode != MemoryMode::Recompute &&
           neededBytes(shape, limits) > available) {
        // Step by step: as few layers as need be are computed again.
        shape.recomputed = shape.mode == MemoryMode::KeepAll ? fewestRecomputed(shape) : shape.recomputed + 1;
        shape.mode = shape.recomputed < shape.layers - shape.lowest ? MemoryMode::Selective : MemoryMode::Recompute;
    }
}

std::uint64_t weightBytes(const config::PhiConfig& config, bool load_in_4bit, bool double_quant) {
    if (config.quantisation) {
        load_in_4bit = true;
        double_quant = config.quantisation->double_quant;
    }
    const BlockShape shape = blockShape(config);
    std::uint64_t block = 2 * held(shape.hidden * 4) + held(shape.inputOut() * 2) + 3 * held(shape.hidden * 2);
    for (int l = 0; l < kLinears; ++l) {
        const auto linear = static_cast<Linear>(l);
        const std::int64_t count = shape.in(linear)*shape.out(linear), blocks = (count + 63) / 64;
        if (!load_in_4bit)
            block += held(count * 2);
        else if (double_quant)
            block += held((count + 1) / 2) + held(blocks) + held((blocks + 255) / 256 * 4) + held(256 * 4);
        else
            block += held((count + 1) / 2) + held(blocks * 4);
    }
    const std::int64_t vocab = config.vocab_size;
    return block * static_cast<std::uint64_t>(config.num_hidden_layers) + held(vocab * shape.hidden * 2) +
           held(vocab * 2) + 2 * held(shape.hidden * 4);
}

Result<api::MemoryUse> planMemory(const config::PhiConfig& config, const api::LoraSpec& spec,
                                  const PlanRequest& request) {
    WorkspaceShape shape;
    shape.block = blockShape(config);
    shape.layers = config.num_hidden_layers;
    shape.heads = config.num_attention_heads;
    shape.head_dim = config.head_dim;
    shape.vocab = config.vocab_size;
    STUDIO_TRY(const Adapted lora, adapted(shape.block, shape.layers, spec));
    shape.input_width = lora.input;
    shape.dense_width = lora.dense;
    shape.fc2_width = lora.fc2;
    shape.lowest = lora.lowest;

    api::MemoryUse use;
    const std::int64_t rope = config.max_position_embeddings * (config.rotary_dim / 2) * 2 * 4;
    const auto part = [&](const char* name, std::uint64_t bytes) {
        use.parts.push_back({name, bytes});
        use.peak_bytes += bytes;
    };
    part("weights", weightBytes(config, request.load_in_4bit, request.double_quant) + held(rope));
    part("adapter", held(lora.weights * 4));
    part("gradients and optimizer", 3 * held(lora.weights * 4));
    part("matrix library", kernels::gpu::Gemm::kWorkspaceBytes);
    Limits limits = request.limits;
    limits.training = true;
    const std::uint64_t left = request.available == 0 ? ~std::uint64_t{0}
                               : request.available > use.peak_bytes + kMargin
                                   ? request.available - use.peak_bytes - kMargin
                                   : 0;
    chooseMode(shape, limits, left);
    shape.residuals_in_host = hostHasRoom(residualBytes(shape, limits), request.host_available);
    Workspace measure;
    Workspace::layOut(measure, nullptr, shape, limits);
    part("activations", measure.bytes.activations);
    part("workspace", measure.bytes.workspace);
    part("logits", measure.bytes.logits);
    part("attention", attentionBytes(shape, limits, request.equal_length));
    part("batch", batchBytes(limits));
    const std::int64_t embedding = static_cast<std::int64_t>(config.vocab_size) * config.hidden_size;
    const auto bytes_each = config.dtype == "float32" ? 4 : 2;
    if (const auto expanded = expandedBytes(shape, limits, static_cast<std::uint64_t>(embedding * bytes_each), left);
        expanded > 0)
        part("expanded weights", expanded);
    use.pinned_bytes = static_cast<std::uint64_t>(embedding * bytes_each) + residualBytes(shape, limits);
    use.mode = nameOf(shape.mode);
    return use;
}

}  // namespace studio::engine::gpu
