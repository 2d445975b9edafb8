// Everything that decides a run, as plain structs. Keys and defaults are those of PEFT's LoraConfig, transformers'
// BitsAndBytesConfig and TrainingArguments, so that a file people already have means the same here. The table of fields
// (field.h) binds each key to its member.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace studio::config {

// Modules as PEFT names them: not given; one text ("all-linear", or a regular expression that must match the whole
// name); or a list of names or name endings.
using ModuleSelection = std::variant<std::monostate, std::string, std::vector<std::string>>;

// Regular expression of module names -> value. The first match wins.
template <class T>
using Pattern = std::vector<std::pair<std::string, T>>;

// qlora_config.json
struct QloraConfig {
    bool load_in_4bit = true;
    std::string bnb_4bit_quant_type = "nf4";
    bool bnb_4bit_use_double_quant = false;
    std::string bnb_4bit_compute_dtype = "float32";  // float32, bfloat16, float16

    std::int64_t r = 8;
    double lora_alpha = 8;
    double lora_dropout = 0;
    ModuleSelection target_modules;  // not given: q_proj, v_proj, fc1, fc2, which is PEFT's choice for phi
    ModuleSelection exclude_modules;
    bool use_rslora = false;
    std::vector<std::int64_t> layers_to_transform;  // empty: all
    std::vector<std::string> layers_pattern;        // empty: any
    Pattern<std::int64_t> rank_pattern;
    Pattern<double> alpha_pattern;

    bool operator==(const QloraConfig&) const = default;
};

// NF4 with double quantisation: for commands that are given no qlora_config and no run that records one.
QloraConfig defaultQuantisation();

// Where cosine_with_min_lr ends: a rate, or a share of learning_rate. One of the two.
struct SchedulerKwargs {
    std::optional<double> min_lr, min_lr_rate;
    bool operator==(const SchedulerKwargs&) const = default;
};

// training_config.yaml
struct TrainingConfig {
    // Model and data
    std::string model_name_or_path;
    std::vector<std::string> data_path;
    std::optional<std::string> view;  // of a project
    std::string filter;
    std::string paths = "best";                   // best, leaves, replies, tree
    std::string template_name = "openassistant";  // key `template`
    std::string train_on = "assistant";           // assistant, all
    std::optional<std::int64_t> max_seq_length;   // null: the model's context
    bool packing = false;
    bool shuffle = true;
    bool group_by_length = false;  // read and kept, without effect
    double validation_fraction = 0.05;

    // The run
    std::string output_dir = "trainer_output";
    std::optional<std::string> run_name;
    std::int64_t seed = 42;
    std::optional<std::int64_t> data_seed;  // null: seed
    std::string device = "auto";            // auto, cpu, cuda
    std::int64_t threads = 0;               // 0: all cores
    bool full_determinism = false;

    // Length
    double num_train_epochs = 3;
    std::int64_t max_steps = -1;  // > 0: wins over num_train_epochs
    std::int64_t per_device_train_batch_size = 8;
    std::int64_t per_device_eval_batch_size = 8;
    std::int64_t gradient_accumulation_steps = 1;

    // Optimizer
    std::string optim = "adamw_torch_fused";  // every accepted name is AdamW with float32 state
    double learning_rate = 5e-5;
    double weight_decay = 0;
    double adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-8;
    double max_grad_norm = 1;  // 0: no clipping
    double resid_pdrop = 0;

    // Schedule
    std::string lr_scheduler_type = "linear";
    SchedulerKwargs lr_scheduler_kwargs;
    double warmup_steps = 0;  // below 1: a share of all steps, as in transformers
    double warmup_ratio = 0;  // used where warmup_steps is 0

    // Memory and precision
    bool gradient_checkpointing = false;
    bool bf16 = false, fp16 = false;

    // Logging, evaluation, checkpoints. Step counts below 1 are shares of all steps, as in transformers.
    double logging_steps = 500;
    std::string eval_strategy = "no";  // no, steps, epoch
    std::optional<double> eval_steps;  // null: logging_steps
    bool eval_on_start = false;
    std::string save_strategy = "steps";  // no, steps, epoch
    double save_steps = 500;
    std::optional<std::int64_t> save_total_limit;  // null: all are kept

    // Samples written while training
    std::vector<std::string> sample_prompts;
    std::int64_t sample_max_new_tokens = 64;

    bool operator==(const TrainingConfig&) const = default;
};

struct Recipe {
    std::string description;  // the comment at the top of training_config.yaml; plain lines
    QloraConfig qlora;
    TrainingConfig training;

    bool operator==(const Recipe&) const = default;
};

// What transformers derives from the fields.

// Steps of linear warm-up for a run of `total_steps`: warmup_steps, or ceil(total × ratio). Always 0 with `constant`.
std::int64_t warmupSteps(const TrainingConfig& training, std::int64_t total_steps);

// logging_steps, eval_steps and save_steps as a whole number of steps ≥ 1; values below 1 are shares of all steps.
std::int64_t stepInterval(double value, std::int64_t total_steps);

// The rate cosine_with_min_lr ends at, absolute; 0 for other schedules.
double minLearningRate(const TrainingConfig& training);

// float32, bfloat16 or float16: bnb_4bit_compute_dtype, or what bf16 and fp16 say where that is float32 or the base is
// not quantised.
std::string computeDtype(const Recipe& recipe);

}  // namespace studio::config
