#include "support/tiny_phi.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "io/file.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace studio::test {
namespace {

std::uint64_t splitmix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

std::uint64_t fnv(const std::string& text) {
    std::uint64_t hash = 0xCBF29CE484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
    return hash;
}

std::vector<TinyTensor> tensors(const TinyPhi& model) {
    std::vector<TinyTensor> all;
    const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
        TinyTensor tensor{name, std::move(shape), {}};
        std::int64_t count = 1;
        for (const std::int64_t size : tensor.shape) count *= size;
        for (std::int64_t i = 0; i < count; ++i)
            tensor.values.push_back(tinyValue(name, static_cast<std::uint64_t>(i)));
        all.push_back(std::move(tensor));
    };
    const auto affine = [&](const std::string& name, std::int64_t out, std::int64_t in) {
        add(name + ".weight", in > 0 ? std::vector<std::int64_t>{out, in} : std::vector<std::int64_t>{out});
        add(name + ".bias", {out});
    };
    const int hidden = model.hidden, kv = hidden / model.heads * model.kv_heads;
    add("model.embed_tokens.weight", {model.vocab, hidden});
    for (int layer = 0; layer < model.layers; ++layer) {
        const std::string block = "model.layers." + std::to_string(layer) + ".";
        affine(block + "input_layernorm", hidden, 0);
        affine(block + "self_attn.q_proj", hidden, hidden);
        affine(block + "self_attn.k_proj", kv, hidden);
        affine(block + "self_attn.v_proj", kv, hidden);
        affine(block + "self_attn.dense", hidden, hidden);
        affine(block + "mlp.fc1", model.intermediate, hidden);
        affine(block + "mlp.fc2", hidden, model.intermediate);
    }
    affine("model.final_layernorm", hidden, 0);
    affine("lm_head", model.vocab, hidden);
    if (model.tied) std::erase_if(all, [](const TinyTensor& tensor) { return tensor.name == "lm_head.weight"; });
    return all;
}

io::Json configOf(const TinyPhi& model) {
    return {{"architectures", {"PhiForCausalLM"}},
            {"model_type", "phi"},
            {"hidden_act", "gelu_new"},
            {"vocab_size", model.vocab},
            {"hidden_size", model.hidden},
            {"intermediate_size", model.intermediate},
            {"num_hidden_layers", model.layers},
            {"num_attention_heads", model.heads},
            {"num_key_value_heads", model.kv_heads},
            {"max_position_embeddings", model.context},
            {"partial_rotary_factor", model.partial_rotary_factor},
            {"rope_theta", 10000.0},
            {"layer_norm_eps", 1e-5},
            {"qk_layernorm", false},
            {"tie_word_embeddings", model.tied},
            {"bos_token_id", 1},
            {"eos_token_id", 2},
            {"torch_dtype", "float16"}};
}

template <class T>
std::vector<std::byte> bytesOf(const std::vector<T>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

std::vector<std::byte> encode(const std::vector<float>& values, const std::string& dtype) {
    if (dtype == "F32") return bytesOf(values);
    if (dtype == "F16") return bytesOf(std::vector<_Float16>(values.begin(), values.end()));
    std::vector<std::uint16_t> halves;
    for (const float value : values)
        halves.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
    return bytesOf(halves);
}

}  // namespace

float tinyValue(const std::string& tensor, std::uint64_t element) {
    const auto n = static_cast<float>(static_cast<int>(splitmix(fnv(tensor) + element) >> 53) - 1024);
    if (tensor.find("lora_") != std::string::npos) return n * 0x1p-13f;
    if (tensor.ends_with("layernorm.weight")) return 1 + (std::floor((n + 1024) / 8) - 128) * 0x1p-9f;
    if (tensor.ends_with(".bias")) return n * 0x1p-14f;
    return n * (tensor.find("embed_tokens") != std::string::npos ? 0x1p-10f : 0x1p-12f);
}

Result<void> writeTinyPhi(const std::filesystem::path& folder, const TinyPhi& model, const ChangeTensor& change) {
    std::vector<std::vector<std::byte>> data;
    std::vector<io::TensorView> views;
    const io::DType type = model.dtype == "F32"    ? io::DType::F32
                           : model.dtype == "BF16" ? io::DType::BF16
                                                   : io::DType::F16;
    for (TinyTensor& tensor : tensors(model)) {
        if (change) change(tensor);
        if (tensor.name.empty()) continue;
        data.push_back(encode(tensor.values, model.dtype));
        views.push_back({tensor.name, type, tensor.shape, data.back().data(), data.back().size()});
    }
    const auto ops = io::realFileOps();
    STUDIO_CHECK(io::writeSafetensors(*ops, folder / "model.safetensors", views, {{"format", "pt"}}));
    return io::writeFileAtomic(folder / "config.json", io::dumpJson(configOf(model), 2));
}

}  // namespace studio::test
