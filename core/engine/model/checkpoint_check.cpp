#include "engine/model/checkpoint_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "engine/model/stored_nf4.h"

namespace studio::engine {
namespace {

constexpr const char* kHint = "Choose a folder whose config.json and safetensors belong to the same phi model.";

bool isFloat(io::DType type) {
    return type == io::DType::F32 || type == io::DType::F16 || type == io::DType::BF16;
}

Result<void> checkOne(const ExpectedTensor& wanted, const io::SafetensorsFolder& folder) {
    const auto* entry = folder.find(wanted.name);
    if (entry == nullptr)
        return fail(ErrorCode::Corrupt, fmt::format("The checkpoint lacks the tensor \"{}\".", wanted.name), kHint);
    const io::TensorInfo& tensor = *entry->tensor;
    if (tensor.shape != wanted.shape)
        return fail(ErrorCode::Corrupt,
                    fmt::format("The checkpoint's tensor \"{}\" is [{}], but its config.json says [{}].", wanted.name,
                                fmt::join(tensor.shape, ", "), fmt::join(wanted.shape, ", ")),
                    kHint);
    if (!isFloat(tensor.dtype))
        return fail(ErrorCode::Unsupported,
                    fmt::format("The checkpoint's tensor \"{}\" has the type {}.", wanted.name, tensor.dtype_name),
                    "Weights in F32, F16 and BF16 can be used.");
    return {};
}

}  // namespace

std::vector<ExpectedTensor> expectedTensors(const config::PhiConfig& config) {
    std::vector<ExpectedTensor> expected;
    const auto affine = [&](const std::string& name, std::vector<std::int64_t> shape, std::int64_t out) {
        expected.push_back({name + ".weight", std::move(shape)});
        expected.push_back({name + ".bias", {out}});
    };
    const std::int64_t hidden = config.hidden_size, vocab = config.vocab_size;
    expected.push_back({"model.embed_tokens.weight", {vocab, hidden}});
    for (int layer = 0; layer < config.num_hidden_layers; ++layer)
        affine(fmt::format("model.layers.{}.input_layernorm", layer), {hidden}, hidden);
    for (const auto& linear : config::linears(config)) {
        expected.push_back({linear.name + ".weight", {linear.out, linear.in}, true});
        expected.push_back({linear.name + ".bias", {linear.out}});
    }
    affine("model.final_layernorm", {hidden}, hidden);
    if (config.tie_word_embeddings)
        expected.push_back({"lm_head.bias", {vocab}});
    else
        affine("lm_head", {vocab, hidden}, vocab);
    return expected;
}

Result<void> checkTensors(const config::PhiConfig& config, const io::SafetensorsFolder& folder) {
    std::set<std::string, std::less<>> known;
    for (const ExpectedTensor& wanted : expectedTensors(config)) {
        known.insert(wanted.name);
        if (wanted.linear && isStoredInFourBits(folder, wanted.name)) {
            STUDIO_TRY(const auto names, checkStoredNf4(folder, wanted.name, wanted.shape[0], wanted.shape[1]));
            known.insert(names.begin(), names.end());
            continue;
        }
        STUDIO_CHECK(checkOne(wanted, folder));
    }
    if (config.tie_word_embeddings) known.insert("lm_head.weight");
    for (const auto& entry : folder.tensors()) {
        const std::string& name = entry.tensor->name;
        if (!known.contains(name) && !name.ends_with(".rotary_emb.inv_freq"))
            return fail(ErrorCode::Unsupported,
                        fmt::format("The checkpoint holds a tensor \"{}\" that no phi model of this shape has.", name),
                        kHint);
    }
    return {};
}

}  // namespace studio::engine
