#include "config/known_keys.h"

namespace studio::config {
namespace {

constexpr Translation kTranslations[] = {
    {"use_cpu", "true", "device", "cpu"},
    {"use_cpu", "false", "", ""},
    {"no_cuda", "true", "device", "cpu"},
    {"no_cuda", "false", "", ""},
    {"train_sampling_strategy", "random", "shuffle", "true"},
    {"train_sampling_strategy", "sequential", "shuffle", "false"},
    {"train_sampling_strategy", "group_by_length", "group_by_length", "true"},
    {"train_sampling_strategy", "batch_rebalance", "", ""},
};

// Words of qlora.py, the notebook, TRL, LitGPT and others.
constexpr std::string_view kOtherNames[][2] = {{"lora_r", "r"},
                                               {"lora_rank", "r"},
                                               {"rank", "r"},
                                               {"alpha", "lora_alpha"},
                                               {"dropout", "lora_dropout"},
                                               {"lora_modules", "target_modules"},
                                               {"lora_target_modules", "target_modules"},
                                               {"use_4bit", "load_in_4bit"},
                                               {"bits", "load_in_4bit"},
                                               {"quantize", "bnb_4bit_quant_type"},
                                               {"quant_type", "bnb_4bit_quant_type"},
                                               {"use_nested_quant", "bnb_4bit_use_double_quant"},
                                               {"double_quant", "bnb_4bit_use_double_quant"},
                                               {"compute_dtype", "bnb_4bit_compute_dtype"},
                                               {"model_name", "model_name_or_path"},
                                               {"model", "model_name_or_path"},
                                               {"base_model", "model_name_or_path"},
                                               {"dataset", "data_path"},
                                               {"dataset_name", "data_path"},
                                               {"train_file", "data_path"},
                                               {"max_length", "max_seq_length"},
                                               {"target_max_len", "max_seq_length"},
                                               {"source_max_len", "max_seq_length"},
                                               {"model_max_length", "max_seq_length"},
                                               {"cutoff_len", "max_seq_length"},
                                               {"sequence_len", "max_seq_length"},
                                               {"sample_packing", "packing"},
                                               {"lr", "learning_rate"},
                                               {"min_lr", "lr_scheduler_kwargs"},
                                               {"lr_scheduler", "lr_scheduler_type"},
                                               {"lr_warmup_steps", "warmup_steps"},
                                               {"epochs", "num_train_epochs"},
                                               {"num_epochs", "num_train_epochs"},
                                               {"micro_batch_size", "per_device_train_batch_size"},
                                               {"batch_size", "per_device_train_batch_size"},
                                               {"beta1", "adam_beta1"},
                                               {"beta2", "adam_beta2"},
                                               {"max_norm", "max_grad_norm"},
                                               {"val_set_size", "validation_fraction"},
                                               {"val_split_fraction", "validation_fraction"},
                                               {"out_dir", "output_dir"},
                                               {"prompt_template", "template"},
                                               {"chat_template", "template"}};

}  // namespace

std::optional<KnownKey> findKnownKey(std::string_view key) {
    for (const auto keys : {loraKeys(), trainingKeys(), olderTrainingKeys()})
        for (const KnownKey& known : keys)
            if (known.key == key) return known;
    return std::nullopt;
}

std::span<const Translation> translations() {
    return kTranslations;
}

std::string_view otherName(std::string_view key) {
    for (const auto& [other, here] : kOtherNames)
        if (other == key) return here;
    return {};
}

std::vector<std::string_view> allKeys() {
    std::vector<std::string_view> keys;
    for (const Field& field : fields()) keys.push_back(field.key);
    for (const auto table : {loraKeys(), trainingKeys(), olderTrainingKeys()})
        for (const KnownKey& known : table) keys.push_back(known.key);
    for (const Translation& translation : kTranslations) keys.push_back(translation.key);
    return keys;
}

}  // namespace studio::config
