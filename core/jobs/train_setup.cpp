#include "jobs/train_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/presets.h"
#include "jobs/adapter_folder.h"
#include "jobs/memory_advice.h"
#include "jobs/model_search.h"
#include "jobs/places.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

engine::api::TrainPlan trainPlan(const config::Recipe& recipe, const dataset::StepPlan& steps) {
    const config::TrainingConfig& t = recipe.training;
    engine::api::TrainPlan plan;
    plan.total_steps = steps.total_steps;
    plan.steps_per_epoch = steps.steps_per_epoch;
    plan.accumulation = static_cast<int>(t.gradient_accumulation_steps);
    plan.learning_rate = t.learning_rate;
    plan.lr_scheduler = t.lr_scheduler_type;
    plan.warmup_steps = config::warmupSteps(t, steps.total_steps);
    plan.min_lr = config::minLearningRate(t);
    plan.beta1 = t.adam_beta1;
    plan.beta2 = t.adam_beta2;
    plan.epsilon = t.adam_epsilon;
    plan.weight_decay = t.weight_decay;
    plan.max_grad_norm = t.max_grad_norm;
    plan.lora_dropout = recipe.qlora.lora_dropout;
    plan.resid_dropout = t.resid_pdrop;
    plan.seed = static_cast<std::uint64_t>(t.seed);
    plan.deterministic = t.full_determinism;
    if (t.gradient_checkpointing) plan.memory_mode = "recompute";
    const auto perEpoch = std::max<std::int64_t>(1, static_cast<std::int64_t>(steps.steps_per_epoch));
    if (t.save_strategy == "steps") plan.save_steps = config::stepInterval(t.save_steps, steps.total_steps);
    if (t.save_strategy == "epoch") plan.save_steps = perEpoch;
    if (t.eval_strategy == "steps")
        plan.eval_steps = config::stepInterval(t.eval_steps.value_or(t.logging_steps), steps.total_steps);
    if (t.eval_strategy == "epoch") plan.eval_steps = perEpoch;
    // train() itself measures every held-out conversation before the first and after the last step.
    plan.eval_on_start = plan.eval_at_end = false;
    return plan;
}

}  // namespace

engine::api::ModelSource modelSource(const fs::path& folder, const config::Recipe& recipe) {
    engine::api::ModelSource source;
    source.folder = folder.string();
    source.load_in_4bit = recipe.qlora.load_in_4bit;
    source.double_quant = recipe.qlora.bnb_4bit_use_double_quant;
    source.compute_dtype = config::computeDtype(recipe);
    source.device = recipe.training.device;
    source.threads = static_cast<int>(recipe.training.threads);
    return source;
}

Result<PlannedModel> planModel(const TrainRequest& request, const fs::path& adapter_of) {
    const config::TrainingConfig& t = request.recipe.training;
    PlannedModel model;
    if (t.model_name_or_path.empty())
        return fail(ErrorCode::InvalidArgument, "No base model is named.",
                    "Set model_name_or_path to a folder with config.json, safetensors and tokenizer files.");
    if (!request.model_folder.empty()) {
        model.base = request.model_folder;
    } else {
        STUDIO_TRY(model.base, baseFolder(t.model_name_or_path, request.config_file));
    }
    STUDIO_TRY(model.phi, config::readPhiConfig(model.base));
    if (t.max_seq_length && *t.max_seq_length > model.phi.max_position_embeddings)
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("max_seq_length is {}, but the model's context holds {} tokens.", *t.max_seq_length,
                                model.phi.max_position_embeddings),
                    fmt::format("Set max_seq_length to {} or less.", model.phi.max_position_embeddings));

    model.adapter = request.recipe.qlora;
    if (!adapter_of.empty()) {
        STUDIO_TRY(const auto start, config::readAdapterConfig(adapter_of));
        model.adapter = start.lora;
        model.adapter.lora_dropout = request.recipe.qlora.lora_dropout;
    }
    if (!request.adapter.empty())
        model.notices.push_back(fmt::format("Starts from the adapter {}: r, alpha and targets are the adapter's.",
                                            request.adapter.string()));
    STUDIO_TRY(model.targets, config::matchTargets(model.adapter, config::linearNames(model.phi)));
    const auto linears = config::linears(model.phi);
    for (const config::TargetModule& target : model.targets) {
        const auto shape =
            std::find_if(linears.begin(), linears.end(), [&](const auto& l) { return l.name == target.name; });
        model.trainable_parameters += target.r * (shape->in + shape->out);
    }
    return model;
}

Result<ReadyToTrain> planTraining(const TrainRequest& request, PlannedModel model, const DataLoader& load,
                                  const JobContext& job) {
    const config::Recipe& recipe = request.recipe;
    const config::TrainingConfig& t = recipe.training;
    const config::PhiConfig& phi = model.phi;
    ReadyToTrain ready;
    TrainSetup& setup = ready.setup;
    RunRecord& record = setup.record;
    ready.adapter = std::move(model.adapter);
    setup.targets = std::move(model.targets);
    setup.notices = std::move(model.notices);

    DataRequest data = dataRequest(recipe, request.config_file, model.base, phi.max_position_embeddings);
    for (const std::string& written : data.data_path) {
        STUDIO_TRY(fs::path path, config::resolveDataPath(written, request.config_file, resourceFolder()));
        record.data.push_back(std::move(path));
    }
    STUDIO_TRY(setup.data, load(data, job));
    setup.notices.insert(setup.notices.end(), setup.data.notices.begin(), setup.data.notices.end());
    const dataset::Examples& examples = *setup.data.examples;
    setup.train = examples.of(dataset::Split::Train);
    setup.validation = examples.of(dataset::Split::Validation);
    if (setup.train.empty())
        return fail(ErrorCode::InvalidArgument, "Every conversation is held out; none is left to train on.",
                    "Use more conversations, or a smaller validation_fraction.");
    if (setup.data.provenance.vocab_size > phi.vocab_size)
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("The tokenizer has {} tokens, the model only {}.", setup.data.provenance.vocab_size,
                                phi.vocab_size),
                    "Tokenizer and model do not belong together.");

    dataset::StreamOptions stream;
    stream.batch_size = static_cast<int>(t.per_device_train_batch_size);
    stream.packing = t.packing || examples.paths == dataset::PathPolicy::Tree;
    stream.shuffle = t.shuffle;
    stream.seed = static_cast<std::uint64_t>(t.data_seed.value_or(t.seed));
    if (stream.packing) {
        const int bound = examples.max_seq_length > 0 ? examples.max_seq_length : phi.max_position_embeddings;
        STUDIO_TRY(stream.max_rows, dataset::maxRows(stream.batch_size, bound));
    }
    STUDIO_TRY(ready.stream, dataset::ExampleStream::make(setup.data.examples, setup.train, stream));
    setup.tokens_per_epoch = ready.stream->rowsPerEpoch();
    setup.supervised_per_epoch = ready.stream->targetsPerEpoch();
    STUDIO_TRY(const dataset::StepPlan steps,
               dataset::planSteps(*ready.stream, static_cast<int>(t.gradient_accumulation_steps), t.num_train_epochs,
                                  t.max_steps));
    setup.plan = trainPlan(recipe, steps);

    record.recipe = recipe;
    record.base_folder = model.base;
    record.adapter_folder = request.adapter;
    record.provenance = setup.data.provenance;
    record.total_steps = setup.plan.total_steps;
    record.train_examples = static_cast<std::int64_t>(setup.train.size());
    record.validation_examples = static_cast<std::int64_t>(setup.validation.size());
    record.trainable_parameters = model.trainable_parameters;
    return ready;
}

Result<ReadyToTrain> setUp(engine::api::Engine& engine, const TrainRequest& request, const fs::path& adapter_of,
                           const JobContext& job) {
    // Cheap checks first: names of modules before the data, the data before the weights.
    STUDIO_TRY(PlannedModel model, planModel(request, adapter_of));
    STUDIO_TRY(const auto device, engine.deviceFor(request.recipe.training.device));
    STUDIO_TRY(ReadyToTrain ready, planTraining(request, std::move(model), loadData, job));
    engine::api::TrainPlan& plan = ready.setup.plan;
    const double epochs = std::ceil(static_cast<double>(plan.total_steps) / plan.steps_per_epoch);
    STUDIO_TRY(plan.largest, largestSize(*ready.stream, static_cast<int>(std::min(epochs, 1e6))));
    RunRecord& record = ready.setup.record;
    STUDIO_TRY(record.base_hash, baseHash(record.base_folder));
    record.build = std::string(engine.buildInfo());
    record.device = device;
    const std::int64_t threads = request.recipe.training.threads;
    if (threads > 0) record.device.threads = static_cast<int>(threads);
    return ready;
}

Result<void> loadForTraining(engine::api::Engine& engine, ReadyToTrain& ready, const fs::path& start,
                             const JobContext& job) {
    const RunRecord& record = ready.setup.record;
    STUDIO_TRY(ready.model, engine.load(modelSource(record.base_folder, record.recipe), job));
    if (!start.empty()) {
        STUDIO_CHECK(loadAdapterFolder(*ready.model, record.base_folder, start));
        return {};
    }
    return ready.model->createAdapter(loraSpec(ready.setup.targets, record.recipe.qlora.lora_dropout,
                                               static_cast<std::uint64_t>(record.recipe.training.seed)));
}

}  // namespace studio::jobs
