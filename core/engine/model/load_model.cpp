#include <algorithm>
#include <cmath>

#include "engine/kernels/device.h"
#include "engine/kernels/parallel.h"
#include "engine/model/load_weights.h"
#include "engine/model/model_state.h"

namespace studio::engine {
namespace {

api::ModelInfo describe(const config::PhiConfig& config, const api::ModelSource& source, const BaseWeights& weights) {
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
    info.weight_bytes = weights.bytes();
    info.quantised = source.load_in_4bit || config.quantisation.has_value();
    info.device = kernels::deviceInfo();
    return info;
}

Result<void> checkSource(const api::ModelSource& source) {
    if (source.device == "auto" || source.device == "cpu") return {};
    return fail(ErrorCode::Unsupported,
                "The model cannot be loaded on \"" + source.device + "\": this engine computes on the CPU.",
                "Choose the device auto or cpu.");
}

}  // namespace

Result<std::unique_ptr<PhiModel>> PhiModel::load(const api::ModelSource& source, Logger* log, const JobContext& job,
                                                 HoldLinears hold) try {
    STUDIO_CHECK(checkSource(source));
    kernels::setThreads(source.threads);
    STUDIO_TRY(config::PhiConfig config, config::readPhiConfig(source.folder));
    STUDIO_TRY(const io::SafetensorsFolder folder, io::SafetensorsFolder::open(source.folder));
    auto state = std::make_unique<CpuPhi::State>();
    STUDIO_TRY(state->weights, loadWeights(config, folder, source, hold, log, job));
    STUDIO_TRY(state->rotary,
               kernels::RotaryEmbedding::make(config.max_position_embeddings, config.rotary_dim, config.rope_theta));
    state->geometry.shape = blockShape(config);
    state->geometry.attention = {config.num_attention_heads, config.num_key_value_heads, config.head_dim,
                                 static_cast<float>(1.0 / std::sqrt(static_cast<double>(config.head_dim)))};
    state->geometry.rope = state->rotary.table();
    state->geometry.norm_epsilon = static_cast<float>(config.layer_norm_eps);
    state->info = describe(config, source, state->weights);
    state->config = std::move(config);
    return std::unique_ptr<PhiModel>(new CpuPhi(std::move(state)));
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("this model"));
}

}  // namespace studio::engine
