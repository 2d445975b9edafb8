#include "config/known_keys.h"

namespace studio::config {
namespace {

constexpr auto NoEffect = Disposition::NoEffect;
constexpr auto OnlyDefault = Disposition::OnlyDefault;
constexpr File kFile = File::Qlora;

constexpr std::string_view kOnlyEightBit = "It belongs to 8-bit quantisation, which is not used.";
constexpr std::string_view kOtherInit = "It belongs to another way to initialise the adapter.";
constexpr std::string_view kRecord = "It is a record of where the adapter came from.";
constexpr std::string_view kOtherKind = "It makes another kind of adapter than LoRA on linears";

constexpr KnownKey kKeys[] = {
    // BitsAndBytesConfig
    {kFile, "quant_method", R"("bitsandbytes")", OnlyDefault, "Only bitsandbytes' format is offered"},
    {kFile, "load_in_8bit", "false", OnlyDefault, "8-bit weights are not offered; use load_in_4bit"},
    {kFile, "_load_in_4bit", "false", NoEffect, "load_in_4bit says the same."},
    {kFile, "_load_in_8bit", "false", OnlyDefault, "8-bit weights are not offered; use load_in_4bit"},
    {kFile, "llm_int8_threshold", "6.0", NoEffect, kOnlyEightBit},
    {kFile, "llm_int8_skip_modules", "null", OnlyDefault,
     "Every linear of the blocks is quantised and lm_head never is", R"(["lm_head"])"},
    {kFile, "llm_int8_enable_fp32_cpu_offload", "false", NoEffect, kOnlyEightBit},
    {kFile, "llm_int8_has_fp16_weight", "false", NoEffect, kOnlyEightBit},
    {kFile, "bnb_4bit_quant_storage", R"("uint8")", NoEffect, "Codes are always held as bytes."},

    // LoraConfig
    {kFile, "task_type", "null", OnlyDefault, "Only language models (CAUSAL_LM) are trained", R"("CAUSAL_LM")"},
    {kFile, "peft_type", "null", OnlyDefault, "Only LoRA adapters are offered", R"("LORA")"},
    {kFile, "auto_mapping", "null", NoEffect, kRecord},
    {kFile, "peft_version", "null", NoEffect, kRecord},
    {kFile, "base_model_name_or_path", "null", NoEffect, "model_name_or_path in training_config.yaml names the base."},
    {kFile, "revision", "null", NoEffect, "The base is the folder that model_name_or_path names."},
    {kFile, "inference_mode", "false", NoEffect, "It follows from the command."},
    {kFile, "fan_in_fan_out", "false", OnlyDefault, "It is for weights stored transposed, which phi has none of"},
    {kFile, "bias", R"("none")", OnlyDefault, "Biases of the base are never trained"},
    {kFile, "modules_to_save", "null", OnlyDefault, "Whole modules are never trained beside the adapter"},
    {kFile, "init_lora_weights", "true", OnlyDefault, "A is always initialised uniformly and B with zeros"},
    {kFile, "megatron_config", "null", OnlyDefault, "Megatron's parallel linears are not offered"},
    {kFile, "megatron_core", R"("megatron.core")", NoEffect, "It belongs to megatron_config."},
    {kFile, "trainable_token_indices", "null", OnlyDefault, "Embeddings are never trained"},
    {kFile, "loftq_config", "{}", NoEffect, kOtherInit},
    {kFile, "eva_config", "null", NoEffect, kOtherInit},
    {kFile, "corda_config", "null", NoEffect, kOtherInit},
    {kFile, "lora_ga_config", "null", NoEffect, kOtherInit},
    {kFile, "use_dora", "false", OnlyDefault, "It makes a DoRA adapter, which scales rows of the base as well"},
    {kFile, "velora_config", "null", OnlyDefault, "It compresses activations, which changes the gradients"},
    {kFile, "alora_invocation_tokens", "null", OnlyDefault, "It switches the adapter on in the middle of a text"},
    {kFile, "use_qalora", "false", OnlyDefault, kOtherKind},
    {kFile, "qalora_group_size", "16", NoEffect, "It belongs to use_qalora."},
    {kFile, "monteclora_config", "null", OnlyDefault, kOtherKind},
    {kFile, "layer_replication", "null", OnlyDefault, "It builds a deeper model out of the base's layers"},
    {kFile, "runtime_config", R"({"ephemeral_gpu_offload": false})", NoEffect, "PEFT does not keep it either."},
    {kFile, "lora_bias", "false", OnlyDefault, "It adds a bias to the adapter's B"},
    {kFile, "target_parameters", "null", OnlyDefault, "It adapts single parameters instead of linears"},
    {kFile, "use_bdlora", "null", OnlyDefault, kOtherKind},
    {kFile, "arrow_config", "null", OnlyDefault, "It mixes several adapters"},
    {kFile, "kasa_config", "null", OnlyDefault, kOtherKind},
    {kFile, "ensure_weight_tying", "false", NoEffect, "It is for adapters on embeddings, which are not offered."},
};

}  // namespace

std::span<const KnownKey> loraKeys() {
    return kKeys;
}

}  // namespace studio::config
