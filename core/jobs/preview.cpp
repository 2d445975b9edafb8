#include "jobs/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "config/presets.h"
#include "config/recipe_file.h"
#include "engine/api/schedule.h"
#include "io/sha256.h"
#include "jobs/adapter_folder.h"
#include "jobs/conversations.h"
#include "jobs/memory_advice.h"
#include "jobs/places.h"
#include "project/project.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRatePoints = 512;
constexpr int kLengthBins = 32;

std::string_view kindOf(std::string_view name) {
    return name.substr(name.rfind('.') + 1);
}

PreviewModel modelPart(const PlannedModel& planned) {
    PreviewModel model;
    model.base = planned.base;
    model.layers = planned.phi.num_hidden_layers;
    model.context = planned.phi.max_position_embeddings;
    model.base_parameters = config::parameterCount(planned.phi);
    model.trainable_parameters = planned.trainable_parameters;
    model.training_bytes = static_cast<std::uint64_t>(planned.trainable_parameters) * 4 * 4;
    model.notices = planned.notices;
    for (const config::LinearShape& linear : config::linears(planned.phi)) {
        const auto known = std::any_of(model.modules.begin(), model.modules.end(),
                                       [&](const ModuleCount& m) { return m.kind == kindOf(linear.name); });
        if (!known) model.modules.push_back({std::string(kindOf(linear.name)), linear.in, linear.out, 0, 0, 0, 0});
    }
    for (const config::TargetModule& target : planned.targets) {
        const auto module = std::find_if(model.modules.begin(), model.modules.end(),
                                         [&](const ModuleCount& m) { return m.kind == kindOf(target.name); });
        const std::int64_t parameters = target.r * (module->in + module->out);
        if (module->modules++ == 0) module->parameters_each = parameters, module->r = target.r;
        module->r = std::min(module->r, target.r);
        module->parameters_total += parameters;
    }
    return model;
}

std::vector<RatePoint> ratePoints(const engine::api::TrainPlan& plan) {
    std::vector<RatePoint> points;
    const auto schedule = engine::api::Schedule::create(
        {plan.lr_scheduler, plan.learning_rate, plan.total_steps, plan.warmup_steps, plan.min_lr});
    if (!schedule) return points;
    std::set<std::int64_t> steps{1, plan.total_steps};
    // The bend between warm-up and decay is never missed.
    for (const std::int64_t step : {plan.warmup_steps, plan.warmup_steps + 1})
        if (step >= 1 && step <= plan.total_steps) steps.insert(step);
    const std::int64_t count = std::min(kRatePoints - 4, plan.total_steps);
    for (std::int64_t i = 0; i < count; ++i)
        steps.insert(1 + i * (plan.total_steps - 1) / std::max<std::int64_t>(1, count - 1));
    for (const std::int64_t step : steps) points.push_back({step, schedule->at(step)});
    return points;
}

// How many checkpoints stay: one a rhythm and one at the end, less what save_total_limit lets go (never the last two).
int checkpointsKept(const config::TrainingConfig& t, const engine::api::TrainPlan& plan) {
    std::int64_t saved = 1;
    if (plan.save_steps > 0) saved = plan.total_steps / plan.save_steps + (plan.total_steps % plan.save_steps != 0);
    saved = std::max<std::int64_t>(saved, 1);
    if (!t.save_total_limit) return static_cast<int>(saved);
    // The best one is kept beside them where evaluations tell which that is.
    const std::int64_t limit = std::max<std::int64_t>(*t.save_total_limit, 2) + (plan.eval_steps > 0 ? 1 : 0);
    return static_cast<int>(std::min(saved, limit));
}

void countAnswers(const dataset::Example& example, int eos, PreviewRun& run) {
    for (const dataset::Span& span : example.spans) {
        const auto first = example.supervised.begin() + span.begin, last = example.supervised.begin() + span.end;
        if (std::find(first, last, 1) == last) continue;
        ++run.answers;
        const auto end = static_cast<std::size_t>(span.end - 1);
        run.answers_with_eos += example.supervised[end] == 1 && example.tokens[end] == eos;
    }
}

void countLengths(const dataset::Examples& examples, PreviewRun& run) {
    run.longest = std::max(examples.max_seq_length, 1);
    if (examples.max_seq_length <= 0) run.longest = std::max(examples.longestPath(), 1);
    run.lengths.assign(kLengthBins, 0);
    for (int i = 0; i < examples.size(); ++i) {
        const std::int64_t bin = std::int64_t{dataset::longestPath(examples[i])} * kLengthBins / run.longest;
        ++run.lengths[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, kLengthBins - 1))];
    }
}

PreviewRun runPart(const ReadyToTrain& ready) {
    const TrainSetup& setup = ready.setup;
    const dataset::Examples& examples = *setup.data.examples;
    const auto trees = [&](const std::vector<int>& which) {
        std::set<int> distinct;
        for (const int example : which) distinct.insert(examples.example_tree[static_cast<std::size_t>(example)]);
        return static_cast<std::int64_t>(distinct.size());
    };
    PreviewRun run;
    run.conversations = trees(setup.train);
    run.held_out_conversations = trees(setup.validation);
    run.examples = setup.record.train_examples;
    run.held_out_examples = setup.record.validation_examples;
    run.tokens = setup.tokens_per_epoch;
    run.supervised_tokens = setup.supervised_per_epoch;
    for (const int example : setup.validation) run.held_out_tokens += examples[example].size();
    for (const int index : setup.train) countAnswers(examples[index], setup.data.provenance.eos, run);
    countLengths(examples, run);
    run.cut_tokens = examples.statistics.cut_tokens;
    run.left_out = examples.statistics.left_out.conversations();
    run.steps = setup.plan.total_steps;
    run.warmup_steps = setup.plan.warmup_steps;
    run.steps_per_epoch = setup.plan.steps_per_epoch;
    run.rates = ratePoints(setup.plan);
    run.checkpoints = checkpointsKept(setup.record.recipe.training, setup.plan);
    run.checkpoint_bytes = static_cast<std::uint64_t>(setup.record.trainable_parameters) * 4 * 3;
    if (!setup.validation.empty()) {
        run.evaluations = 2;
        if (setup.plan.eval_steps > 0) run.evaluations += (run.steps - 1) / setup.plan.eval_steps;
    }
    run.notices = setup.notices;
    return run;
}

Result<engine::api::MemoryUse> plannedMemory(engine::api::Engine& engine, const ReadyToTrain& ready) {
    STUDIO_TRY(const dataset::Batch longest, ready.stream->longestMicroBatch(0));
    const RunRecord& record = ready.setup.record;
    return engine.planMemory(modelSource(record.base_folder, record.recipe),
                             loraSpec(ready.setup.targets, record.recipe.qlora.lora_dropout, 0), sizeOf(longest),
                             ready.setup.plan);
}

// Changes whenever the bytes behind a path may have.
Result<std::string> fingerprint(const DataRequest& request) {
    std::string all;
    for (const std::string& written : request.data_path) {
        STUDIO_TRY(const fs::path path, config::resolveDataPath(written, request.config_file, resourceFolder()));
        all += path.string() + '\n';
        if (project::isProjectFolder(path)) {
            // Not the file's time: the store's journal holds what came last.
            if (auto store =
                    corpus::Store::openFile(project::projectPaths(path).corpus(), corpus::Store::Access::ReadOnly)) {
                STUDIO_TRY(const auto sources, sourcesOf(*store));
                STUDIO_TRY(const auto counts, store->counts());
                for (const auto& source : sources) all += source.sha256 + '\n';
                all += fmt::format("{} {}\n", counts.messages, counts.orphans);
            }
            continue;
        }
        std::error_code ec;
        const fs::path file = fs::is_directory(path, ec) ? path / "manifest.json" : path;
        all +=
            fmt::format("{} {}\n", fs::file_size(file, ec), fs::last_write_time(file, ec).time_since_epoch().count());
    }
    const auto optional = [&](const auto& value) { all += value ? fmt::format("{}\n", *value) : std::string("-\n"); };
    optional(request.filter), optional(request.paths), optional(request.template_name), optional(request.train_on);
    optional(request.max_seq_length), optional(request.view);
    return all + fmt::format("{} {} {} {}", request.tokenizer_folder.string(), request.model_context,
                             request.validation_fraction, request.seed);
}

}  // namespace

Result<LoadedData> PreviewCache::load(const DataRequest& request, const JobContext& job) {
    STUDIO_TRY(std::string key, fingerprint(request));
    if (data_ && key == key_) return *data_;
    data_.reset();
    STUDIO_TRY(data_, loadData(request, job));
    key_ = std::move(key);
    return *data_;
}

Result<Preview> preview(const config::Recipe& recipe, const fs::path& config_file, PreviewCache& cache,
                        const JobContext& job, engine::api::Engine* engine) {
    Preview result;
    TrainRequest request;
    request.recipe = recipe;
    request.config_file = config_file;
    auto planned = planModel(request, {});
    if (!planned) {
        result.model_error = std::move(planned).error();
        return result;
    }
    result.model = modelPart(*planned);
    const auto load = [&](const DataRequest& data, const JobContext& context) { return cache.load(data, context); };
    auto ready = planTraining(request, std::move(*planned), load, job);
    if (job.stopped()) return cancelled();
    if (!ready) {
        result.run_error = std::move(ready).error();
        return result;
    }
    result.run = runPart(*ready);
    if (engine == nullptr) return result;
    auto memory = plannedMemory(*engine, *ready);
    if (!memory)
        result.memory_error = std::move(memory).error();
    else if (!memory->parts.empty())
        result.memory = std::move(*memory);
    return result;
}

Result<Measurement> measure(engine::api::Engine& engine, const config::Recipe& recipe, const fs::path& config_file,
                            const JobContext& job) {
    TrainRequest request;
    request.recipe = recipe;
    request.config_file = config_file;
    STUDIO_TRY(const DryRun run, dryRun(engine, request, {}, job));
    Measurement result;
    result.key = measurementKey(recipe);
    result.seconds_a_step = run.seconds_a_step;
    result.seconds_a_row = run.rows > 0 ? run.seconds / run.rows : 0;
    result.loss = run.loss;
    result.rows = run.rows;
    result.targets = run.targets;
    result.peak_bytes = run.peak_bytes;
    result.weight_bytes = run.weight_bytes;
    result.device = run.setup.record.device;
    return result;
}

std::string measurementKey(const config::Recipe& original) {
    config::Recipe recipe = original;
    const config::TrainingConfig defaults;
    config::TrainingConfig& t = recipe.training;
    recipe.description.clear();
    t.output_dir = defaults.output_dir;
    t.run_name = defaults.run_name;
    t.seed = defaults.seed;
    t.data_seed = defaults.data_seed;
    t.num_train_epochs = defaults.num_train_epochs;
    t.max_steps = defaults.max_steps;
    t.per_device_eval_batch_size = defaults.per_device_eval_batch_size;
    t.learning_rate = defaults.learning_rate;
    t.weight_decay = defaults.weight_decay;
    t.adam_beta1 = defaults.adam_beta1;
    t.adam_beta2 = defaults.adam_beta2;
    t.adam_epsilon = defaults.adam_epsilon;
    t.max_grad_norm = defaults.max_grad_norm;
    t.optim = defaults.optim;
    t.lr_scheduler_type = defaults.lr_scheduler_type;
    t.lr_scheduler_kwargs = defaults.lr_scheduler_kwargs;
    t.warmup_steps = defaults.warmup_steps;
    t.warmup_ratio = defaults.warmup_ratio;
    t.logging_steps = defaults.logging_steps;
    t.eval_strategy = defaults.eval_strategy;
    t.eval_steps = defaults.eval_steps;
    t.eval_on_start = defaults.eval_on_start;
    t.save_strategy = defaults.save_strategy;
    t.save_steps = defaults.save_steps;
    t.save_total_limit = defaults.save_total_limit;
    t.sample_prompts = defaults.sample_prompts;
    t.sample_max_new_tokens = defaults.sample_max_new_tokens;
    t.group_by_length = defaults.group_by_length;
    t.shuffle = defaults.shuffle;
    recipe.qlora.lora_alpha = 8;
    recipe.qlora.use_rslora = false;
    recipe.qlora.alpha_pattern.clear();
    return io::sha256(config::formatTrainingConfig(recipe) + config::formatQloraConfig(recipe.qlora));
}

double estimatedSeconds(const PreviewRun& run, const Measurement& measurement) {
    const double evaluation = static_cast<double>(run.held_out_tokens) * measurement.seconds_a_row / 3;
    return measurement.seconds_a_step * static_cast<double>(run.steps) +
           evaluation * static_cast<double>(run.evaluations);
}

std::int64_t stepsWithin(const PreviewRun& run, const Measurement& measurement, double seconds) {
    const double a_step =
        estimatedSeconds(run, measurement) / static_cast<double>(std::max<std::int64_t>(1, run.steps));
    if (a_step <= 0) return std::max<std::int64_t>(1, run.steps);
    const auto fit = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(seconds / a_step)));
    // Two digits: 1,900 rather than 1,934.
    std::int64_t unit = 1;
    while (fit / unit >= 100) unit *= 10;
    return fit / unit * unit;
}

}  // namespace studio::jobs
