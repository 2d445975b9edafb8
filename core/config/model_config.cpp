#include "config/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/node.h"
#include "config/scalar.h"
#include "io/file.h"

namespace studio::config {
namespace {

// Widest model this program will compute sizes for; far above any phi.
constexpr int kMaxWidth = 1 << 17, kMaxVocab = 1 << 21, kMaxContext = 1 << 20, kMaxLayers = 1024, kMaxHeads = 1024;

// Keys that every model has and that say nothing about how to compute it.
constexpr std::array kIndifferent{"_name_or_path",
                                  "architectures",
                                  "model_type",
                                  "auto_map",
                                  "torch_dtype",
                                  "dtype",
                                  "transformers_version",
                                  "initializer_range",
                                  "use_cache",
                                  "chunk_size_feed_forward",
                                  "id2label",
                                  "label2id",
                                  "is_encoder_decoder",
                                  "is_decoder",
                                  "output_attentions",
                                  "output_hidden_states",
                                  "problem_type",
                                  "return_dict",
                                  "torchscript",
                                  "use_bfloat16",
                                  "tf_legacy_loss",
                                  "pruned_heads",
                                  "cross_attention_hidden_size",
                                  "add_cross_attention",
                                  "tie_encoder_decoder",
                                  "finetuning_task",
                                  "tokenizer_class",
                                  "prefix",
                                  "pad_token_id",
                                  "sep_token_id",
                                  "decoder_start_token_id",
                                  "task_specific_params",
                                  "num_labels",
                                  "attn_implementation",
                                  "_attn_implementation",
                                  "_attn_implementation_autoset",
                                  "_commit_hash",
                                  "unsloth_version",
                                  "unsloth_fixed",
                                  "model_max_length"};

constexpr std::array kRead{
    "vocab_size",          "hidden_size",           "intermediate_size", "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads",   "head_dim",          "resid_pdrop",
    "embd_pdrop",          "attention_dropout",     "hidden_act",        "max_position_embeddings",
    "layer_norm_eps",      "tie_word_embeddings",   "rope_parameters",   "rope_theta",
    "rope_scaling",        "partial_rotary_factor", "qk_layernorm",      "bos_token_id",
    "eos_token_id",        "quantization_config"};

tl::unexpected<Error> wrong(std::string message,
                            std::string hint = "Get the model again, or correct its config.json.") {
    return fail(ErrorCode::Corrupt, std::move(message), std::move(hint));
}
tl::unexpected<Error> unsupported(std::string message, std::string hint) {
    return fail(ErrorCode::Unsupported, std::move(message), std::move(hint));
}
constexpr const char* kUsePhi = "Use a model of phi's architecture, such as microsoft/phi-2.";

class Reader {
  public:
    explicit Reader(const Node& root) : root_(root) {}

    Result<PhiConfig> read() {
        STUDIO_CHECK(architecture());
        STUDIO_CHECK(sizes());
        STUDIO_CHECK(rotary());
        STUDIO_CHECK(details());
        STUDIO_CHECK(tokens());
        STUDIO_CHECK(quantisation());
        remainingKeys();
        return std::move(out_);
    }

  private:
    static bool missing(const Node* node) { return !node || node->kind == Node::Kind::Null; }

    static Result<void> whole(const Node& map, const char* key, int low, int high, int& into) {
        const Node* node = map.find(key);
        if (missing(node)) return {};
        if (node->kind != Node::Kind::Plain)
            return wrong(fmt::format("{} is {}, which is no whole number.", key, shown(*node)));
        const auto value = parseInteger(node->text);
        if (!value) return wrong(fmt::format("{} {}", key, value.error().message));
        if (*value < low || *value > high)
            return wrong(fmt::format("{} is {}; it must be at least {} and at most {}.", key, *value, low, high));
        into = static_cast<int>(*value);
        return {};
    }
    // In (low, high] with `open`, else in [low, high].
    static Result<void> real(const Node& map, const char* key, double low, double high, bool open, double& into) {
        const Node* node = map.find(key);
        if (missing(node)) return {};
        if (node->kind != Node::Kind::Plain)
            return wrong(fmt::format("{} is {}, which is no number.", key, shown(*node)));
        const auto value = parseReal(node->text);
        if (!value) return wrong(fmt::format("{} {}", key, value.error().message));
        if (!(open ? *value > low : *value >= low) || *value > high)
            return wrong(fmt::format("{} is {}; it must be {} {} and at most {}.", key, node->text,
                                     open ? "above" : "at least", formatNumber(low), formatNumber(high)));
        into = *value;
        return {};
    }
    static Result<void> truth(const Node& map, const char* key, bool& into) {
        const Node* node = map.find(key);
        if (missing(node)) return {};
        if (node->kind != Node::Kind::Plain || (node->text != "true" && node->text != "false"))
            return wrong(fmt::format("{} is {}, which is neither true nor false.", key, shown(*node)));
        into = node->text == "true";
        return {};
    }
    static Result<void> text(const Node& map, const char* key, std::string& into) {
        const Node* node = map.find(key);
        if (missing(node)) return {};
        if (node->kind != Node::Kind::Quoted)
            return wrong(fmt::format("{} is {}, which is no text.", key, shown(*node)));
        into = node->text;
        return {};
    }

    Result<void> architecture() {
        std::string type;
        STUDIO_CHECK(text(root_, "model_type", type));
        if (type == "phi-msft" || root_.find("n_embd") || root_.find("n_layer"))
            return unsupported(
                "The model has the layout phi was first published in (phi-msft, with Wqkv), which is not read.",
                "Get the model in the layout of transformers: microsoft/phi-2 since January 2024.");
        const Node* architectures = root_.find("architectures");
        std::string first;
        if (architectures && architectures->kind == Node::Kind::List && !architectures->items.empty())
            first = architectures->items.front().text;
        if (type.empty() && first == "PhiForCausalLM") type = "phi";
        if (type.empty()) return unsupported("model_type is missing, so the architecture is not known.", kUsePhi);
        if (type != "phi")
            return unsupported(fmt::format("model_type is {}; only phi is trained and run here.", quote(type)),
                               kUsePhi);
        if (!first.empty() && first != "PhiForCausalLM")
            return unsupported(fmt::format("The model is a {}, which has no language model head.", first),
                               "Use a model saved as PhiForCausalLM.");
        return text(root_, "_name_or_path", out_.name_or_path);
    }

    Result<void> sizes() {
        STUDIO_CHECK(whole(root_, "vocab_size", 1, kMaxVocab, out_.vocab_size));
        STUDIO_CHECK(whole(root_, "hidden_size", 1, kMaxWidth, out_.hidden_size));
        STUDIO_CHECK(whole(root_, "intermediate_size", 1, kMaxWidth, out_.intermediate_size));
        STUDIO_CHECK(whole(root_, "num_hidden_layers", 1, kMaxLayers, out_.num_hidden_layers));
        STUDIO_CHECK(whole(root_, "num_attention_heads", 1, kMaxHeads, out_.num_attention_heads));
        STUDIO_CHECK(whole(root_, "max_position_embeddings", 1, kMaxContext, out_.max_position_embeddings));
        out_.num_key_value_heads = out_.num_attention_heads;
        STUDIO_CHECK(whole(root_, "num_key_value_heads", 1, kMaxHeads, out_.num_key_value_heads));
        if (out_.hidden_size % out_.num_attention_heads != 0)
            return wrong(fmt::format("hidden_size {} is no multiple of num_attention_heads {}.", out_.hidden_size,
                                     out_.num_attention_heads));
        if (out_.num_attention_heads % out_.num_key_value_heads != 0)
            return wrong(fmt::format("num_attention_heads {} is no multiple of num_key_value_heads {}.",
                                     out_.num_attention_heads, out_.num_key_value_heads));
        out_.head_dim = out_.hidden_size / out_.num_attention_heads;
        int head_dim = out_.head_dim;
        STUDIO_CHECK(whole(root_, "head_dim", 1, kMaxWidth, head_dim));
        if (head_dim != out_.head_dim)
            return unsupported(fmt::format("head_dim is {}; only hidden_size / num_attention_heads = {} is offered.",
                                           head_dim, out_.head_dim),
                               kUsePhi);
        return {};
    }

    // transformers 5 writes rope_parameters; older versions write the keys beside the others. What rope_parameters
    // lacks is taken from there.
    Result<void> rotary() {
        STUDIO_CHECK(real(root_, "partial_rotary_factor", 0, 1, true, out_.partial_rotary_factor));
        STUDIO_CHECK(real(root_, "rope_theta", 0, 1e12, true, out_.rope_theta));
        for (const char* key : {"rope_scaling", "rope_parameters"}) {
            const Node* rope = root_.find(key);
            if (missing(rope)) continue;
            if (rope->kind != Node::Kind::Map)
                return wrong(fmt::format("{} is {}, which is no map.", key, shown(*rope)));
            std::string type = "default";
            STUDIO_CHECK(text(*rope, "type", type));
            STUDIO_CHECK(text(*rope, "rope_type", type));
            if (type != "default")
                return unsupported(
                    fmt::format("{} asks for rotary positions of type {}, which are not offered.", key, quote(type)),
                    "Use the model without position scaling.");
            STUDIO_CHECK(real(*rope, "partial_rotary_factor", 0, 1, true, out_.partial_rotary_factor));
            STUDIO_CHECK(real(*rope, "rope_theta", 0, 1e12, true, out_.rope_theta));
        }
        // int() of the double product, as transformers computes it.
        out_.rotary_dim = static_cast<int>(out_.head_dim * out_.partial_rotary_factor);
        if (out_.rotary_dim < 2 || out_.rotary_dim % 2 != 0)
            return wrong(
                fmt::format("partial_rotary_factor {} of head_dim {} gives {} rotated dimensions; they must be even "
                            "and at least 2.",
                            formatReal(out_.partial_rotary_factor), out_.head_dim, out_.rotary_dim));
        return {};
    }

    Result<void> details() {
        STUDIO_CHECK(real(root_, "layer_norm_eps", 0, 1, true, out_.layer_norm_eps));
        STUDIO_CHECK(real(root_, "resid_pdrop", 0, 1, false, out_.resid_pdrop));
        STUDIO_CHECK(real(root_, "embd_pdrop", 0, 1, false, out_.embd_pdrop));
        STUDIO_CHECK(real(root_, "attention_dropout", 0, 1, false, out_.attention_dropout));
        STUDIO_CHECK(truth(root_, "tie_word_embeddings", out_.tie_word_embeddings));
        STUDIO_CHECK(text(root_, "torch_dtype", out_.dtype));
        STUDIO_CHECK(text(root_, "dtype", out_.dtype));
        bool qk_layernorm = false;
        STUDIO_CHECK(truth(root_, "qk_layernorm", qk_layernorm));
        if (qk_layernorm)
            return unsupported("qk_layernorm is true: the model normalises queries and keys, which is not offered.",
                               kUsePhi);
        std::string activation = "gelu_new";
        STUDIO_CHECK(text(root_, "hidden_act", activation));
        if (activation != "gelu_new")
            return unsupported(fmt::format("hidden_act is {}; only gelu_new is offered.", quote(activation)), kUsePhi);
        return {};
    }

    Result<void> ids(const char* key, int fallback, std::vector<int>& into) {
        const Node* node = root_.find(key);
        if (!node) {
            into = {fallback};  // PhiConfig's class default
            return {};
        }
        if (node->kind == Node::Kind::Null) return {};
        const bool list = node->kind == Node::Kind::List;
        for (std::size_t i = 0; i < (list ? node->items.size() : 1); ++i) {
            const Node& item = list ? node->items[i] : *node;
            const auto value = parseInteger(item.text);
            if (item.kind != Node::Kind::Plain || !value || *value < 0 || *value >= out_.vocab_size)
                return wrong(fmt::format("{} is {}; token ids are whole numbers from 0 to vocab_size - 1 = {}.", key,
                                         shown(item), out_.vocab_size - 1));
            into.push_back(static_cast<int>(*value));
        }
        return {};
    }
    Result<void> tokens() {
        STUDIO_CHECK(ids("bos_token_id", 1, out_.bos_token_ids));
        return ids("eos_token_id", 2, out_.eos_token_ids);
    }

    Result<void> quantisation() {
        const Node* map = root_.find("quantization_config");
        if (missing(map)) return {};
        if (map->kind != Node::Kind::Map) return wrong("quantization_config is no map.");
        std::string method;
        STUDIO_CHECK(text(*map, "quant_method", method));
        if (method != "bitsandbytes" && !(method.empty() && map->find("bnb_4bit_quant_type")))
            return unsupported(fmt::format("The model is quantised by {}, which is not read.", quote(method)),
                               "Use the unquantised model; it is quantised on loading.");
        bool four = false, eight = false;
        STUDIO_CHECK(truth(*map, "_load_in_4bit", four));
        STUDIO_CHECK(truth(*map, "load_in_4bit", four));
        STUDIO_CHECK(truth(*map, "load_in_8bit", eight));
        StoredQuantisation stored;
        stored.quant_type = "fp4";  // BitsAndBytesConfig's default
        STUDIO_CHECK(text(*map, "bnb_4bit_quant_type", stored.quant_type));
        STUDIO_CHECK(truth(*map, "bnb_4bit_use_double_quant", stored.double_quant));
        STUDIO_CHECK(text(*map, "bnb_4bit_compute_dtype", stored.compute_dtype));
        if (eight || !four || stored.quant_type != "nf4")
            return unsupported(fmt::format("The model is stored in {}, which is not read.",
                                           eight || !four ? "8 bits" : stored.quant_type),
                               "Use the unquantised model, or one stored as NF4.");
        out_.quantisation = stored;
        return {};
    }

    void remainingKeys() {
        for (const Node::Entry& entry : root_.entries) {
            const auto is = [&](const char* known) { return entry.key.text == known; };
            if (std::none_of(kIndifferent.begin(), kIndifferent.end(), is) &&
                std::none_of(kRead.begin(), kRead.end(), is))
                out_.warnings.push_back(
                    fmt::format("config.json holds the key {}, which is not known here.", shown(entry.key)));
        }
    }

    const Node& root_;
    PhiConfig out_;
};

}  // namespace

Result<PhiConfig> parsePhiConfig(std::string_view text, std::string_view name) {
    STUDIO_TRY(const Node root, parseJsonNode(text, name));
    auto config = Reader(root).read();
    if (!config)
        return fail(config.error().code, fmt::format("{}: {}", name, config.error().message), config.error().hint);
    return config;
}

Result<PhiConfig> readPhiConfig(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "config.json";
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return fail(ErrorCode::NotFound, fmt::format("{} holds no config.json, so it is no model.", folder.string()),
                    "Name the folder of a Hugging Face model.");
    STUDIO_TRY(const std::string text, io::readFile(file, kMaxConfigBytes));
    return parsePhiConfig(text, file.string());
}

}  // namespace studio::config
