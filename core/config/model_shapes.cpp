#include <fmt/format.h>

#include "config/model_config.h"

namespace studio::config {

std::vector<LinearShape> linears(const PhiConfig& config) {
    std::vector<LinearShape> out;
    for (int layer = 0; layer < config.num_hidden_layers; ++layer) {
        const std::string attention = fmt::format("model.layers.{}.self_attn.", layer);
        const std::string mlp = fmt::format("model.layers.{}.mlp.", layer);
        out.push_back({attention + "q_proj", config.hidden_size, config.hidden_size});
        out.push_back({attention + "k_proj", config.hidden_size, config.kvDim()});
        out.push_back({attention + "v_proj", config.hidden_size, config.kvDim()});
        out.push_back({attention + "dense", config.hidden_size, config.hidden_size});
        out.push_back({mlp + "fc1", config.hidden_size, config.intermediate_size});
        out.push_back({mlp + "fc2", config.intermediate_size, config.hidden_size});
    }
    return out;
}

std::vector<std::string> linearNames(const PhiConfig& config) {
    std::vector<std::string> out;
    for (LinearShape& linear : linears(config)) out.push_back(std::move(linear.name));
    return out;
}

std::int64_t parameterCount(const PhiConfig& config) {
    const std::int64_t hidden = config.hidden_size, vocab = config.vocab_size;
    std::int64_t count = vocab * hidden + 2 * hidden + vocab;  // embeddings, final norm, bias of the head
    if (!config.tie_word_embeddings) count += vocab * hidden;
    for (const LinearShape& linear : linears(config)) count += std::int64_t{linear.in} * linear.out + linear.out;
    return count + std::int64_t{config.num_hidden_layers} * 2 * hidden;
}

}  // namespace studio::config
