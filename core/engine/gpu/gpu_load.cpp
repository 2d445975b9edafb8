#include <fmt/format.h>

#include <cmath>

#include "engine/gpu/gpu_state.h"
#include "engine/gpu/loader.h"
#include "engine/gpu/token_graph.h"
#include "engine/kernels/layer_norm_cuda.h"
#include "engine/kernels/parallel.h"
#include "engine/kernels/rope_table.h"
#include "engine/model/load_weights.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

namespace {

std::string reasonAgainst(const config::PhiConfig& config) {
    const auto reason = [](const char* what, std::int64_t value, const char* wanted) {
        return fmt::format("its {} is {}, and the GPU's kernels want {}", what, value, wanted);
    };
    if (config.hidden_size % 8 != 0 || config.hidden_size > k::kWidestNorm)
        return reason("hidden_size", config.hidden_size, "a multiple of 8 up to 8192");
    if (config.intermediate_size % 8 != 0)
        return reason("intermediate_size", config.intermediate_size, "a multiple of 8");
    if (config.head_dim % 8 != 0 || config.head_dim > 256)
        return reason("head dimension", config.head_dim, "a multiple of 8 up to 256");
    if (config.vocab_size % 8 != 0) return reason("vocab_size", config.vocab_size, "a multiple of 8");
    return {};
}

api::ModelInfo describe(const config::PhiConfig& config, const api::ModelSource& source, const Weights& weights,
                        const k::Card& card) {
    api::ModelInfo info;
    info.layers = config.num_hidden_layers;
    info.hidden = config.hidden_size;
    info.heads = config.num_attention_heads;
    info.kv_heads = config.num_key_value_heads;
    info.head_dim = config.head_dim;
    info.rotary_dim = config.rotary_dim;
    info.intermediate = config.intermediate_size;
    info.vocab = config.vocab_size;
    info.context = config.max_position_embeddings;
    info.parameters = static_cast<std::uint64_t>(config::parameterCount(config));
    info.weight_bytes = weights.deviceBytes() + weights.embedding_memory.bytes();
    info.quantised = source.load_in_4bit || config.quantisation.has_value();
    info.device = {"cuda", card.name, card.uuid, card.memory_bytes, kernels::threads()};
    return info;
}

Result<void> uploadRope(GpuPhi::State& state) {
    const auto& config = state.config;
    STUDIO_TRY(const auto rotary,
               kernels::RotaryEmbedding::make(config.max_position_embeddings, config.rotary_dim, config.rope_theta));
    const kernels::RopeTable& table = rotary.table();
    const auto count = static_cast<std::size_t>(config.max_position_embeddings) * static_cast<std::size_t>(table.half);
    STUDIO_TRY(state.rope_memory, Memory::allocate(2 * count * sizeof(float), state.stream));
    auto* to = reinterpret_cast<float*>(state.rope_memory.data());
    STUDIO_CHECK(k::copyToDevice(state.stream, to, table.cos, count * sizeof(float)));
    STUDIO_CHECK(k::copyToDevice(state.stream, to + count, table.sin, count * sizeof(float)));
    STUDIO_CHECK(k::finish(state.stream));
    state.geometry.rope = {to, to + count, table.half};
    return {};
}

}  // namespace

Result<std::string> GpuPhi::unsupported(const std::string& folder) {
    STUDIO_TRY(const config::PhiConfig config, config::readPhiConfig(folder));
    return reasonAgainst(config);
}

Result<std::unique_ptr<GpuPhi>> GpuPhi::load(const api::ModelSource& source, int card, Logger* log,
                                             const JobContext& job) try {
    STUDIO_TRY(const auto found, k::cards());
    const k::Card* chosen = nullptr;
    for (const auto& one : found)
        if (one.index == card) chosen = &one;
    if (chosen == nullptr)
        return fail(ErrorCode::Device, fmt::format("There is no usable GPU number {}.", card), "Choose another one.");
    kernels::setThreads(source.threads);
    auto state = std::make_unique<State>();
    state->card = card;
    state->log = log;
    STUDIO_TRY(state->config, config::readPhiConfig(source.folder));
    if (const std::string reason = reasonAgainst(state->config); !reason.empty())
        return fail(ErrorCode::Unsupported, "The GPU cannot compute this model: " + reason + ".",
                    "Choose the device cpu.");
    STUDIO_TRY(state->stream, k::openStream(card));
    k::resetPeak(card);
    STUDIO_TRY(const io::SafetensorsFolder folder, io::SafetensorsFolder::open(source.folder));
    STUDIO_TRY(state->gemm_workspace, Memory::allocate(k::Gemm::kWorkspaceBytes, state->stream));
    STUDIO_TRY(state->gemm, k::Gemm::make(state->gemm_workspace.data()));
    STUDIO_TRY(state->weights, loadWeights(state->config, folder, source, card, state->stream, log, job));
    const auto& config = state->config;
    state->geometry.shape = blockShape(config);
    state->geometry.attention = {config.num_attention_heads, config.num_key_value_heads, config.head_dim,
                                 static_cast<float>(1.0 / std::sqrt(static_cast<double>(config.head_dim)))};
    state->geometry.norm_epsilon = static_cast<float>(config.layer_norm_eps);
    STUDIO_CHECK(uploadRope(*state));
    state->info = describe(config, source, state->weights, *chosen);
    if (log != nullptr && source.compute_dtype != "bfloat16")
        log->info(
            "On a GPU the engine computes in bfloat16, whatever bnb_4bit_compute_dtype says: float16 overflows in "
            "phi-2's attention.");
    if (log != nullptr && !tokenGraphFits(*state))
        log->info(source.load_in_4bit
                      ? "The kernels for one token do not take this model on this card: answers come more slowly."
                      : "Without load_in_4bit answers come more slowly: the kernels for one token read NF4.");
    k::resetPeak(card);
    return std::unique_ptr<GpuPhi>(new GpuPhi(std::move(state)));
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("this model"));
}

}  // namespace studio::engine::gpu
