#include <fmt/format.h>

#include <cstdlib>

#include "cli/command.h"
#include "cli/train_view.h"
#include "config/recipe_file.h"

namespace studio::cli {
namespace {

struct Options {
    std::string config, qlora_config, output_dir, resume, adapter, dump;
    std::vector<std::string> set;
    bool dry_run = false;
};

// Tests let the process die or its disk fail at the n-th file operation (see io/file_ops.h).
Result<std::shared_ptr<io::FileOps>> fileOps() {
    const char* plan = std::getenv("STUDIO_FILE_FAULT");
    if (!plan || !*plan) return io::realFileOps();
    const char* trace = std::getenv("STUDIO_FILE_TRACE");
    return io::faultyFileOps(plan, trace ? trace : "");
}

Result<int> sayDryRun(Context& context, const jobs::DryRun& dry) {
    const double total = dry.seconds_a_step * static_cast<double>(dry.setup.plan.total_steps);
    if (context.json) {
        io::Json modules = io::Json::array();
        for (const auto& t : dry.setup.targets) modules.push_back(t.name);
        const auto memory = [](const engine::api::MemoryUse& use) {
            io::Json parts = io::Json::object();
            for (const auto& part : use.parts) parts[part.name] = part.bytes;
            // Of a processor nothing is planned.
            const io::Json peak = use.peak_bytes > 0 ? io::Json(use.peak_bytes) : io::Json();
            return io::Json{{"peak_bytes", peak}, {"mode", use.mode}, {"parts", std::move(parts)}};
        };
        io::Json planned = memory(dry.planned);
        planned["context_bytes"] = dry.planned.context_bytes;  // CUDA's own, about; not in the peak
        planned["host_bytes"] = dry.planned.pinned_bytes;      // of the computer's own memory
        context.print({{"memory_planned", std::move(planned)},
                       {"memory", memory(dry.memory)},
                       {"steps", dry.setup.plan.total_steps},
                       {"train_examples", dry.setup.record.train_examples},
                       {"validation_examples", dry.setup.record.validation_examples},
                       {"tokens_per_epoch", dry.setup.tokens_per_epoch},
                       {"supervised_tokens_per_epoch", dry.setup.supervised_per_epoch},
                       {"trainable_parameters", dry.setup.record.trainable_parameters},
                       {"modules", std::move(modules)},
                       {"loss", dry.loss},
                       {"rows", dry.rows},
                       {"targets", dry.targets},
                       {"seconds_longest_batch", dry.seconds},
                       {"seconds_estimated", total},
                       {"peak_bytes", dry.peak_bytes}});
        return kOk;
    }
    sayPlan(context.terminal, dry.setup);
    context.terminal.say(fmt::format("Longest batch: {} rows, {} targets, loss {:.4f}, {}; peak memory {}", dry.rows,
                                     dry.targets, dry.loss, duration(dry.seconds), bytesText(dry.peak_bytes)));
    if (!dry.planned.parts.empty()) {
        context.terminal.say(fmt::format("The GPU's memory, mode {}: {} planned, {} taken by the step", dry.memory.mode,
                                         bytesText(dry.planned.peak_bytes), bytesText(dry.memory.peak_bytes)));
        for (const auto& part : dry.planned.parts)
            context.terminal.say(fmt::format("  {:<26} {}", part.name, bytesText(part.bytes)));
        context.terminal.say(
            fmt::format("  {:<26} {} more, about", "CUDA context", bytesText(dry.planned.context_bytes)));
        context.terminal.say(
            fmt::format("Of the computer's own memory, for the GPU: {}", bytesText(dry.planned.pinned_bytes)));
    }
    context.terminal.say(fmt::format("The whole run would take about {} (from this one batch).", duration(total)));
    return kOk;
}

Result<int> train(Context& context, const Options& options) {
    config::ReadRecipe read;
    for (const std::string& assignment : options.set) {
        config::Recipe scratch;
        const auto equals = assignment.find('=');
        if (equals == std::string::npos)
            return context.usage({ErrorCode::InvalidArgument, "--set takes key=value, not " + assignment + ".", ""});
        if (const auto set = config::setFromText(scratch, assignment.substr(0, equals), assignment.substr(equals + 1));
            !set)
            return context.usage(set.error());
    }
    STUDIO_TRY(const config::Recipe recipe,
               config::loadRecipe(options.config, options.qlora_config, options.set, &read));
    context.terminal.endLine();
    for (const config::FieldIssue& issue : read.issues) context.terminal.say(issue.text());
    if (!read.without_effect.empty())
        context.terminal.say(fmt::format("Without effect here: {}", fmt::join(read.without_effect, ", ")));

    jobs::TrainRequest request;
    request.recipe = recipe;
    request.config_file = options.config;
    request.output_dir = options.output_dir;
    request.resume_from_checkpoint = options.resume;
    request.adapter = options.adapter;
    STUDIO_TRY(request.files, fileOps());

    STUDIO_TRY(auto* engine, engine::api::openEngine({context.log}));
    if (options.dry_run) {
        STUDIO_TRY(const jobs::DryRun dry, jobs::dryRun(*engine, request, options.dump, context.job()));
        return sayDryRun(context, dry);
    }
    // First signal: finish the step and save. Second, or outside of steps: stop at once.
    engine::api::Mailbox mailbox;
    TrainView view(context.terminal, config::stepInterval(recipe.training.logging_steps, 1 << 30));
    context.signals.onSignal([&](int count) {
        if (count == 1 && view.stepping()) {
            context.terminal.say("Stopping after this step… (again: stop now and lose it)");
            mailbox.stopAfterStep();
        } else {
            context.signals.requestStop();
        }
    });
    auto result = jobs::train(*engine, request, view, mailbox, context.log, context.job());
    context.signals.onSignal({});
    if (!result && result.error().cancelled() && context.signals.terminated()) {
        context.terminal.say("Stopped; continue with --resume_from_checkpoint latest.");
        return kOk;
    }
    if (!result) return fail(std::move(result).error());
    if (context.json) context.print(jobs::toJson(*result));
    sayResult(context.terminal, *result);
    if (!context.json) std::printf("%s\n", result->run.c_str());
    // Asked to end by the system, the run is safe and nothing failed; stopped by the person is its own code.
    return result->stopped && !context.signals.terminated() ? kStopped : kOk;
}

}  // namespace

void addTrain(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("train", "Fine-tune a model with QLoRA");
    const auto options = std::make_shared<Options>();
    command->add_option("--config", options->config, "training_config.yaml: keys of TrainingArguments, data and model")
        ->required();
    command
        ->add_option("--qlora_config", options->qlora_config,
                     "qlora_config.json: keys of LoraConfig and BitsAndBytesConfig")
        ->required();
    command->add_option("--output_dir", options->output_dir, "the run's folder (the recipe's output_dir)");
    command->add_option("--resume_from_checkpoint", options->resume, "latest, or a checkpoint folder of the run");
    command->add_option("--adapter", options->adapter, "start from this PEFT adapter");
    command->add_option("--set", options->set, "key=value, over the files; can be repeated")->allow_extra_args(false);
    auto* dry = command->add_flag("--dry_run", options->dry_run, "one step on the longest batch, nothing else written");
    command->add_option("--dump", options->dump, "with --dry_run: folder for batch.json and dump.safetensors")
        ->needs(dry);
    command->callback([options, &run] { run = [options](Context& context) { return train(context, *options); }; });
}

}  // namespace studio::cli
