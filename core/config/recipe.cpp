#include "config/recipe.h"

#include <algorithm>
#include <cmath>

namespace studio::config {

QloraConfig defaultQuantisation() {
    QloraConfig config;
    config.bnb_4bit_use_double_quant = true;
    return config;
}

namespace {

// ceil(total × share) in double, as Python's math.ceil of the same product.
std::int64_t shareOf(double share, std::int64_t total_steps) {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(total_steps) * share));
}

}  // namespace

// TrainingArguments.get_warmup_steps; warmup_ratio as in transformers 4, where warmup_steps > 0 wins.
std::int64_t warmupSteps(const TrainingConfig& training, std::int64_t total_steps) {
    if (training.lr_scheduler_type == "constant") return 0;
    if (training.warmup_steps >= 1) return static_cast<std::int64_t>(training.warmup_steps);
    if (training.warmup_steps > 0) return shareOf(training.warmup_steps, total_steps);
    return shareOf(training.warmup_ratio, total_steps);
}

// TrainerState.compute_steps.
std::int64_t stepInterval(double value, std::int64_t total_steps) {
    std::int64_t steps = value < 1 ? shareOf(value, total_steps) : static_cast<std::int64_t>(value);
    return std::max<std::int64_t>(1, steps);
}

double minLearningRate(const TrainingConfig& training) {
    if (training.lr_scheduler_type != "cosine_with_min_lr") return 0;
    const SchedulerKwargs& kwargs = training.lr_scheduler_kwargs;
    if (kwargs.min_lr) return *kwargs.min_lr;
    return kwargs.min_lr_rate.value_or(0) * training.learning_rate;
}

std::string computeDtype(const Recipe& recipe) {
    if (recipe.qlora.load_in_4bit && recipe.qlora.bnb_4bit_compute_dtype != "float32")
        return recipe.qlora.bnb_4bit_compute_dtype;
    if (recipe.training.bf16) return "bfloat16";
    if (recipe.training.fp16) return "float16";
    return "float32";
}

}  // namespace studio::config
