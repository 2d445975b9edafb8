// What fields say together.
#include <fmt/format.h>

#include <algorithm>

#include "config/codec.h"
#include "config/pattern.h"
#include "config/recipe_file.h"
#include "config/scalar.h"

namespace studio::config {
namespace {

class Checker {
  public:
    Checker(const Recipe& recipe, Issues& issues)
        : recipe_(recipe), training_(recipe.training), qlora_(recipe.qlora), issues_(issues) {}

    void check() {
        fieldsAlone();
        modelAndData();
        adapter();
        schedule();
        precision();
        evaluation();
    }

  private:
    void add(Severity severity, std::string_view key, std::string message, std::string hint) {
        issues_.push_back({std::string(key), severity, std::move(message), std::move(hint), {}, 0, 0});
    }
    void error(std::string_view key, std::string message, std::string hint) {
        add(Severity::Error, key, std::move(message), std::move(hint));
    }

    void fieldsAlone() {
        for (const Field& field : fields())
            if (auto ok = checkField(field, recipe_); !ok)
                error(field.key, fmt::format("{} {}", field.key, ok.error().message), ok.error().hint);
    }

    void modelAndData() {
        const auto empty = [](const std::string& path) { return path.empty(); };
        if (training_.model_name_or_path.empty())
            error("model_name_or_path", "model_name_or_path names no base model.",
                  "Write the folder of a phi model, or microsoft/phi-2 once it is downloaded.");
        if (training_.data_path.empty() || std::any_of(training_.data_path.begin(), training_.data_path.end(), empty))
            error("data_path", "data_path names no data to train on.",
                  "Write an OASST or chat file (.jsonl, .jsonl.gz), a prepared folder or a project.");
        if (training_.output_dir.empty())
            error("output_dir", "output_dir names no folder for the run.", "Write a folder, such as runs/first.");
        if (training_.validation_fraction > 0.5)
            add(Severity::Warning, "validation_fraction",
                fmt::format("validation_fraction is {}, so more is held out than trained on.",
                            formatReal(training_.validation_fraction)),
                "Usual values are 0.02 to 0.2.");
        if (training_.group_by_length)
            add(Severity::Notice, "group_by_length", "group_by_length has no effect here.",
                "Batches keep the shuffled order; nothing is padded, so there is nothing to save.");
    }

    void adapter() {
        const bool text = std::holds_alternative<std::string>(qlora_.target_modules);
        if (const auto* names = std::get_if<std::vector<std::string>>(&qlora_.target_modules); names && names->empty())
            error("target_modules", "target_modules is an empty list, so nothing would be trained.",
                  "Name modules, or write \"all-linear\".");
        if (text && !qlora_.layers_to_transform.empty())
            error("layers_to_transform", "layers_to_transform cannot be combined with target_modules as one text.",
                  "Write target_modules as a list, or put the layers into its expression.");
        if (!qlora_.layers_pattern.empty() && qlora_.layers_to_transform.empty())
            error("layers_pattern", "layers_pattern is set, but layers_to_transform is not.",
                  "Write the layers to adapt, or leave layers_pattern out.");
        expression("target_modules", qlora_.target_modules);
        expression("exclude_modules", qlora_.exclude_modules);
        for (const auto& [key, rank] : qlora_.rank_pattern) expression("rank_pattern", key);
        for (const auto& [key, alpha] : qlora_.alpha_pattern) expression("alpha_pattern", key);
        for (const std::string& pattern : qlora_.layers_pattern) expression("layers_pattern", pattern);
    }
    void expression(std::string_view key, const ModuleSelection& selection) {
        if (const auto* text = std::get_if<std::string>(&selection)) expression(key, *text);
    }
    void expression(std::string_view key, const std::string& text) {
        if (auto compiled = Expression::compile(text); !compiled)
            error(key, fmt::format("{}: {}", key, compiled.error().message), compiled.error().hint);
    }

    void schedule() {
        const SchedulerKwargs& kwargs = training_.lr_scheduler_kwargs;
        const bool min_lr = training_.lr_scheduler_type == "cosine_with_min_lr";
        if (min_lr && !kwargs.min_lr && !kwargs.min_lr_rate)
            error("lr_scheduler_type", "cosine_with_min_lr needs the rate it ends at.",
                  "Write lr_scheduler_kwargs: {min_lr: 1.0e-5}, or {min_lr_rate: 0.1}.");
        if (kwargs.min_lr && kwargs.min_lr_rate)
            error("lr_scheduler_kwargs", "lr_scheduler_kwargs has both min_lr and min_lr_rate.",
                  "Keep one of the two.");
        if (!min_lr && (kwargs.min_lr || kwargs.min_lr_rate))
            add(Severity::Warning, "lr_scheduler_kwargs",
                fmt::format("lr_scheduler_kwargs has no effect with {}.", training_.lr_scheduler_type),
                "Write lr_scheduler_type: cosine_with_min_lr to use it.");
        if (min_lr && kwargs.min_lr && *kwargs.min_lr > training_.learning_rate)
            error("lr_scheduler_kwargs",
                  fmt::format("lr_scheduler_kwargs has min_lr {}, which is above learning_rate {}.",
                              formatReal(*kwargs.min_lr), formatReal(training_.learning_rate)),
                  "Write a smaller min_lr.");
        if (training_.learning_rate > 0.02)
            add(Severity::Warning, "learning_rate",
                fmt::format("learning_rate is {}, which is unusually high.", formatReal(training_.learning_rate)),
                "Usual values for LoRA are 5.0e-5 to 2.0e-3.");
        warmup();
    }
    void warmup() {
        const bool some = training_.warmup_steps > 0 || training_.warmup_ratio > 0;
        if (some && training_.lr_scheduler_type == "constant")
            add(Severity::Notice, training_.warmup_steps > 0 ? "warmup_steps" : "warmup_ratio",
                "A constant schedule has no warm-up, as in transformers.",
                "Write lr_scheduler_type: constant_with_warmup to have one.");
        else if (training_.max_steps > 0 && warmupSteps(training_, training_.max_steps) > training_.max_steps)
            error("warmup_steps",
                  fmt::format("warmup_steps is {}, which is longer than the run of {} steps.",
                              formatNumber(training_.warmup_steps), training_.max_steps),
                  "Write fewer warm-up steps, or a share below 1.");
    }

    void precision() {
        if (training_.bf16 && training_.fp16) error("fp16", "bf16 and fp16 are both true.", "Keep one of the two.");
        const std::string& dtype = qlora_.bnb_4bit_compute_dtype;
        const std::string used = computeDtype(recipe_);
        if (qlora_.load_in_4bit && dtype != "float32" &&
            ((training_.bf16 && dtype != "bfloat16") || (training_.fp16 && dtype != "float16")))
            add(Severity::Warning, training_.bf16 ? "bf16" : "fp16",
                fmt::format("{} is true, but bnb_4bit_compute_dtype is {}; {} is used.",
                            training_.bf16 ? "bf16" : "fp16", dtype, used),
                "Make the two agree.");
        if (training_.optim.starts_with("paged_"))
            add(Severity::Notice, "optim", fmt::format("{} is AdamW here; paging has no effect.", training_.optim),
                "The state of an adapter is small enough to stay in memory.");
    }

    void evaluation() {
        if (training_.eval_strategy != "no" && training_.validation_fraction == 0)
            add(Severity::Warning, "eval_strategy",
                "eval_strategy asks for evaluation, but validation_fraction is 0.0, so nothing is held out.",
                "Write a validation_fraction such as 0.05, unless data_path is a prepared folder with its own split.");
    }

    const Recipe& recipe_;
    const TrainingConfig& training_;
    const QloraConfig& qlora_;
    Issues& issues_;
};

}  // namespace

Issues checkRecipe(const Recipe& recipe) {
    Issues issues;
    Checker(recipe, issues).check();
    return issues;
}

void checkRead(ReadRecipe& read) {
    for (FieldIssue& issue : checkRecipe(read.recipe)) {
        // What was wrong on reading is known already, and its field has its default.
        const auto known = [&](const FieldIssue& other) {
            return other.key == issue.key && other.severity == Severity::Error;
        };
        if (std::any_of(read.issues.begin(), read.issues.end(), known)) continue;
        const auto place = std::find_if(read.places.rbegin(), read.places.rend(),
                                        [&](const KeyPlace& p) { return p.key == issue.key; });
        if (place != read.places.rend()) {
            issue.file = place->file;
            issue.line = place->line;
            issue.column = place->column;
        }
        read.issues.push_back(std::move(issue));
    }
}

}  // namespace studio::config
