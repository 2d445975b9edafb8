#include "config/field_table.h"

namespace studio::config {
namespace {

constexpr Choice kOptimizers[] = {{"adamw_torch", "AdamW"},
                                  {"adamw_torch_fused", "AdamW"},
                                  {"adamw_hf", "AdamW"},
                                  {"adamw_torch_xla", "AdamW"},
                                  {"adamw_torch_npu_fused", "AdamW"},
                                  {"adamw_apex_fused", "AdamW"},
                                  {"paged_adamw_32bit", "AdamW; its state is small enough here to need no paging"},
                                  {"paged_adamw", "AdamW; as paged_adamw_32bit"}};
constexpr std::string_view kEightBit =
    "it keeps the moments in fewer bits, which changes the numbers; AdamW is kept in float32 here";
constexpr std::string_view kOtherOptimizer = "it is another optimizer; only AdamW is offered";
constexpr Refusal kOptimizersRefused[] = {{"paged_adamw_8bit", kEightBit},
                                          {"adamw_8bit", kEightBit},
                                          {"adamw_bnb_8bit", kEightBit},
                                          {"adamw_torch_8bit", kEightBit},
                                          {"adamw_torch_4bit", kEightBit},
                                          {"adamw_anyprecision", kEightBit},
                                          {"adafactor", kOtherOptimizer},
                                          {"ademamix", kOtherOptimizer},
                                          {"ademamix_8bit", kOtherOptimizer},
                                          {"paged_ademamix_32bit", kOtherOptimizer},
                                          {"paged_ademamix_8bit", kOtherOptimizer},
                                          {"sgd", kOtherOptimizer},
                                          {"adagrad", kOtherOptimizer},
                                          {"lion_8bit", kOtherOptimizer},
                                          {"lion_32bit", kOtherOptimizer},
                                          {"paged_lion_32bit", kOtherOptimizer},
                                          {"paged_lion_8bit", kOtherOptimizer},
                                          {"rmsprop", kOtherOptimizer},
                                          {"rmsprop_bnb", kOtherOptimizer},
                                          {"rmsprop_bnb_8bit", kOtherOptimizer},
                                          {"rmsprop_bnb_32bit", kOtherOptimizer},
                                          {"galore_adamw", kOtherOptimizer},
                                          {"galore_adamw_8bit", kOtherOptimizer},
                                          {"galore_adafactor", kOtherOptimizer},
                                          {"galore_adamw_layerwise", kOtherOptimizer},
                                          {"galore_adamw_8bit_layerwise", kOtherOptimizer},
                                          {"galore_adafactor_layerwise", kOtherOptimizer},
                                          {"lomo", kOtherOptimizer},
                                          {"adalomo", kOtherOptimizer},
                                          {"grokadamw", kOtherOptimizer},
                                          {"schedule_free_radam", kOtherOptimizer},
                                          {"schedule_free_adamw", kOtherOptimizer},
                                          {"schedule_free_sgd", kOtherOptimizer},
                                          {"apollo_adamw", kOtherOptimizer},
                                          {"apollo_adamw_layerwise", kOtherOptimizer},
                                          {"stable_adamw", kOtherOptimizer}};

constexpr Choice kSchedules[] = {{"linear", "down to 0"},
                                 {"constant", "no warm-up either, as in transformers"},
                                 {"constant_with_warmup", ""},
                                 {"cosine", "half a cosine down to 0"},
                                 {"cosine_with_min_lr", "half a cosine down to the rate in lr_scheduler_kwargs"}};
constexpr std::string_view kOtherSchedule = "this schedule is not offered";
constexpr Refusal kSchedulesRefused[] = {{"cosine_with_restarts", kOtherSchedule},
                                         {"polynomial", kOtherSchedule},
                                         {"inverse_sqrt", kOtherSchedule},
                                         {"reduce_lr_on_plateau", kOtherSchedule},
                                         {"cosine_warmup_with_min_lr", kOtherSchedule},
                                         {"warmup_stable_decay", kOtherSchedule},
                                         {"greedy", kOtherSchedule}};

constexpr Choice kIntervals[] = {{"no", "never"}, {"steps", ""}, {"epoch", "at the end of each epoch"}};
constexpr Refusal kSaveRefused[] = {
    {"best", "checkpoints are saved at fixed steps, and the run says which of them was the best"}};

constexpr Range kSteps = {.low = 0, .high = 1e9, .low_open = true};

}  // namespace

void appendTrainingFields(std::vector<Field>& out) {
    using T = TrainingConfig;
    out.push_back(row<&T::num_train_epochs>("num_train_epochs", Group::Length,
                                            "Passes over the training data. max_steps wins over it.",
                                            {.range = {.low = 0, .high = 10000, .low_open = true}, .unit = "epochs"}));
    out.push_back(row<&T::max_steps>("max_steps", Group::Length,
                                     "Optimizer steps of the whole run. -1: as the epochs say.",
                                     {.range = {.low = 1, .high = 1e9, .also = -1}, .unit = "steps"}));
    out.push_back(row<&T::per_device_train_batch_size>(
        "per_device_train_batch_size", Group::Length,
        "Conversations computed at once; with packing, how many times max_seq_length rows.",
        {.range = {.low = 1, .high = 4096}}));
    out.push_back(row<&T::per_device_eval_batch_size>(
        "per_device_eval_batch_size", Group::Length,
        "The same while measuring the validation loss. It changes no number.", {.range = {.low = 1, .high = 4096}}));
    out.push_back(row<&T::gradient_accumulation_steps>(
        "gradient_accumulation_steps", Group::Length,
        "Micro-batches a step. The step's loss is the mean over all their supervised tokens.",
        {.range = {.low = 1, .high = 65536}}));

    out.push_back(row<&T::optim>("optim", Group::Optimizer, "Every accepted name means AdamW with float32 state.",
                                 {.choices = kOptimizers, .refusals = kOptimizersRefused}));
    out.push_back(row<&T::learning_rate>("learning_rate", Group::Optimizer, "The highest rate of the schedule.",
                                         {.range = {.low = 0, .high = 1, .low_open = true}}));
    out.push_back(row<&T::weight_decay>("weight_decay", Group::Optimizer,
                                        "Decoupled decay, times the learning rate of the step.",
                                        {.range = {.low = 0, .high = 10}}));
    out.push_back(
        row<&T::adam_beta1>("adam_beta1", Group::Optimizer, "Decay of the mean of the gradient.", {.range = kShare}));
    out.push_back(
        row<&T::adam_beta2>("adam_beta2", Group::Optimizer, "Decay of the mean of its square.", {.range = kShare}));
    out.push_back(row<&T::adam_epsilon>("adam_epsilon", Group::Optimizer, "Added to the root of the mean square.",
                                        {.range = {.low = 0, .high = 1, .low_open = true}}));
    out.push_back(
        row<&T::max_grad_norm>("max_grad_norm", Group::Optimizer,
                               "Gradients of a step are scaled down to this norm where they exceed it. 0: never.",
                               {.range = {.low = 0, .high = 1e9}}));
    out.push_back(row<&T::resid_pdrop>("resid_pdrop", Group::Optimizer,
                                       "Dropout on the outputs of attention and MLP while training. transformers takes "
                                       "it from the model's config.json "
                                       "(0.1 in phi-2); here it is 0 unless this key says otherwise, as in LitGPT.",
                                       {.range = kShare}));

    out.push_back(row<&T::lr_scheduler_type>("lr_scheduler_type", Group::Schedule,
                                             "Course of the learning rate after the warm-up.",
                                             {.choices = kSchedules, .refusals = kSchedulesRefused}));
    out.push_back(row<&T::lr_scheduler_kwargs>("lr_scheduler_kwargs", Group::Schedule,
                                               "For cosine_with_min_lr one of: min_lr, the rate it ends at; "
                                               "min_lr_rate, the same as a share of learning_rate.",
                                               {.range = {.low = 0, .high = 1}}));
    out.push_back(row<&T::warmup_steps>(
        "warmup_steps", Group::Schedule,
        "Steps in which the rate climbs from 0. Below 1: a share of all steps. Without effect with `constant`.",
        {.range = {.low = 0, .high = 1e9}, .unit = "steps"}));
    out.push_back(row<&T::warmup_ratio>("warmup_ratio", Group::Schedule,
                                        "The same as a share of all steps, used where warmup_steps is 0.",
                                        {.range = {.low = 0, .high = 1}, .null_is_default = true}));

    out.push_back(row<&T::gradient_checkpointing>(
        "gradient_checkpointing", Group::Precision,
        "Keep only each layer's input and compute the rest again in the backward pass: less memory, about a third more "
        "time, the same numbers. On a GPU the inputs wait in the computer's own memory."));
    out.push_back(row<&T::bf16>(
        "bf16", Group::Precision,
        "Compute in bfloat16 where bnb_4bit_compute_dtype does not say it. On a CPU it is always float32."));
    out.push_back(row<&T::fp16>("fp16", Group::Precision, "The same with float16. Not together with bf16."));

    out.push_back(row<&T::logging_steps>(
        "logging_steps", Group::Evaluation,
        "Rhythm of the console. Every step is in metrics.jsonl in any case. Below 1: a share of all steps.",
        {.range = kSteps, .unit = "steps"}));
    out.push_back(row<&T::eval_strategy>(
        "eval_strategy", Group::Evaluation,
        "When the loss on held-out conversations is measured between the first step and the last.",
        {.choices = kIntervals}));
    out.push_back(row<&T::eval_steps>("eval_steps", Group::Evaluation,
                                      "With eval_strategy steps. null: logging_steps. Below 1: a share of all steps.",
                                      {.range = kSteps, .unit = "steps"}));
    out.push_back(row<&T::eval_on_start>("eval_on_start", Group::Evaluation,
                                         "Read for the sake of files that have it: the loss is measured before the "
                                         "first step and after the last in any case."));

    out.push_back(row<&T::save_strategy>("save_strategy", Group::Checkpoints,
                                         "When a checkpoint is saved, besides the end.",
                                         {.choices = kIntervals, .refusals = kSaveRefused}));
    out.push_back(row<&T::save_steps>("save_steps", Group::Checkpoints,
                                      "With save_strategy steps. Below 1: a share of all steps.",
                                      {.range = kSteps, .unit = "steps"}));
    out.push_back(row<&T::save_total_limit>(
        "save_total_limit", Group::Checkpoints,
        "Oldest checkpoints beyond this number are deleted, never the best one nor the last two. null: all are kept.",
        {.range = {.low = 1, .high = 100000}}));

    out.push_back(row<&T::sample_prompts>(
        "sample_prompts", Group::Samples,
        "Prompts answered greedily at each evaluation, into samples.jsonl, to see the answers change."));
    out.push_back(row<&T::sample_max_new_tokens>("sample_max_new_tokens", Group::Samples, "Longest of these answers.",
                                                 {.range = {.low = 1, .high = 4096}, .unit = "tokens"}));
}

}  // namespace studio::config
