#include <QCoreApplication>
#include <algorithm>
#include <array>

#include "ui/look/format.h"
#include "ui/session/recipe_document.h"

namespace studio::ui {
namespace {

struct Label {
    std::string_view key;
    const char* words;
};

constexpr std::array kLabels = {
    Label{"load_in_4bit", QT_TRANSLATE_NOOP("Field", "Load in 4 bits")},
    Label{"bnb_4bit_quant_type", QT_TRANSLATE_NOOP("Field", "Quantisation")},
    Label{"bnb_4bit_use_double_quant", QT_TRANSLATE_NOOP("Field", "Double quantisation")},
    Label{"bnb_4bit_compute_dtype", QT_TRANSLATE_NOOP("Field", "Compute type")},
    Label{"r", QT_TRANSLATE_NOOP("Field", "Rank r")},
    Label{"lora_alpha", QT_TRANSLATE_NOOP("Field", "Alpha")},
    Label{"lora_dropout", QT_TRANSLATE_NOOP("Field", "Adapter dropout")},
    Label{"target_modules", QT_TRANSLATE_NOOP("Field", "Target modules")},
    Label{"exclude_modules", QT_TRANSLATE_NOOP("Field", "Excluded modules")},
    Label{"use_rslora", QT_TRANSLATE_NOOP("Field", "Rank-stabilised scaling")},
    Label{"layers_to_transform", QT_TRANSLATE_NOOP("Field", "Layers")},
    Label{"layers_pattern", QT_TRANSLATE_NOOP("Field", "Layer list names")},
    Label{"rank_pattern", QT_TRANSLATE_NOOP("Field", "Ranks by module")},
    Label{"alpha_pattern", QT_TRANSLATE_NOOP("Field", "Alphas by module")},
    Label{"model_name_or_path", QT_TRANSLATE_NOOP("Field", "Base model")},
    Label{"data_path", QT_TRANSLATE_NOOP("Field", "Data")},
    Label{"view", QT_TRANSLATE_NOOP("Field", "Saved selection")},
    Label{"filter", QT_TRANSLATE_NOOP("Field", "Filter")},
    Label{"paths", QT_TRANSLATE_NOOP("Field", "Paths")},
    Label{"template", QT_TRANSLATE_NOOP("Field", "Template")},
    Label{"train_on", QT_TRANSLATE_NOOP("Field", "Supervise")},
    Label{"max_seq_length", QT_TRANSLATE_NOOP("Field", "Maximum length")},
    Label{"packing", QT_TRANSLATE_NOOP("Field", "Packing")},
    Label{"shuffle", QT_TRANSLATE_NOOP("Field", "Shuffle")},
    Label{"group_by_length", QT_TRANSLATE_NOOP("Field", "Group by length")},
    Label{"validation_fraction", QT_TRANSLATE_NOOP("Field", "Held out")},
    Label{"output_dir", QT_TRANSLATE_NOOP("Field", "Run folder")},
    Label{"run_name", QT_TRANSLATE_NOOP("Field", "Run name")},
    Label{"seed", QT_TRANSLATE_NOOP("Field", "Seed")},
    Label{"data_seed", QT_TRANSLATE_NOOP("Field", "Data seed")},
    Label{"device", QT_TRANSLATE_NOOP("Field", "Device")},
    Label{"threads", QT_TRANSLATE_NOOP("Field", "Threads")},
    Label{"full_determinism", QT_TRANSLATE_NOOP("Field", "Full determinism")},
    Label{"num_train_epochs", QT_TRANSLATE_NOOP("Field", "Epochs")},
    Label{"max_steps", QT_TRANSLATE_NOOP("Field", "Maximum steps")},
    Label{"per_device_train_batch_size", QT_TRANSLATE_NOOP("Field", "Batch size")},
    Label{"per_device_eval_batch_size", QT_TRANSLATE_NOOP("Field", "Evaluation batch size")},
    Label{"gradient_accumulation_steps", QT_TRANSLATE_NOOP("Field", "Accumulation")},
    Label{"optim", QT_TRANSLATE_NOOP("Field", "Optimizer")},
    Label{"learning_rate", QT_TRANSLATE_NOOP("Field", "Learning rate")},
    Label{"weight_decay", QT_TRANSLATE_NOOP("Field", "Weight decay")},
    Label{"adam_beta1", QT_TRANSLATE_NOOP("Field", "Beta 1")},
    Label{"adam_beta2", QT_TRANSLATE_NOOP("Field", "Beta 2")},
    Label{"adam_epsilon", QT_TRANSLATE_NOOP("Field", "Epsilon")},
    Label{"max_grad_norm", QT_TRANSLATE_NOOP("Field", "Clip gradient norm")},
    Label{"resid_pdrop", QT_TRANSLATE_NOOP("Field", "Residual dropout")},
    Label{"lr_scheduler_type", QT_TRANSLATE_NOOP("Field", "Schedule")},
    Label{"lr_scheduler_kwargs", QT_TRANSLATE_NOOP("Field", "Schedule settings")},
    Label{"warmup_steps", QT_TRANSLATE_NOOP("Field", "Warm-up steps")},
    Label{"warmup_ratio", QT_TRANSLATE_NOOP("Field", "Warm-up share")},
    Label{"gradient_checkpointing", QT_TRANSLATE_NOOP("Field", "Gradient checkpointing")},
    Label{"bf16", QT_TRANSLATE_NOOP("Field", "bfloat16")},
    Label{"fp16", QT_TRANSLATE_NOOP("Field", "float16")},
    Label{"logging_steps", QT_TRANSLATE_NOOP("Field", "Console every")},
    Label{"eval_strategy", QT_TRANSLATE_NOOP("Field", "Evaluate")},
    Label{"eval_steps", QT_TRANSLATE_NOOP("Field", "Evaluate every")},
    Label{"eval_on_start", QT_TRANSLATE_NOOP("Field", "Evaluate at start")},
    Label{"save_strategy", QT_TRANSLATE_NOOP("Field", "Save checkpoints")},
    Label{"save_steps", QT_TRANSLATE_NOOP("Field", "Save every")},
    Label{"save_total_limit", QT_TRANSLATE_NOOP("Field", "Keep at most")},
    Label{"sample_prompts", QT_TRANSLATE_NOOP("Field", "Sample prompts")},
    Label{"sample_max_new_tokens", QT_TRANSLATE_NOOP("Field", "Longest sample")},
};

}  // namespace

QString fieldLabel(std::string_view key) {
    const auto found = std::find_if(kLabels.begin(), kLabels.end(), [&](const Label& l) { return l.key == key; });
    return found == kLabels.end() ? text(key) : QCoreApplication::translate("Field", found->words);
}

}  // namespace studio::ui
