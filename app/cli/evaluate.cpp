#include <fmt/format.h>

#include "cli/command.h"
#include "jobs/evaluate.h"

namespace studio::cli {
namespace {

struct Options {
    jobs::EvaluateRequest request;
    std::string load_in_4bit, filter, paths, train_on, template_name;
    int max_seq_length = 0;
    CLI::Option *filter_option = nullptr, *paths_option = nullptr, *train_on_option = nullptr,
                *template_option = nullptr;
};

Result<int> evaluate(Context& context, Options& options) {
    jobs::EvaluateRequest& request = options.request;
    if (!options.load_in_4bit.empty()) request.model.load_in_4bit = options.load_in_4bit == "true";
    if (options.filter_option->count()) request.filter = options.filter;
    if (options.paths_option->count()) request.paths = options.paths;
    if (options.train_on_option->count()) request.train_on = options.train_on;
    if (options.template_option->count()) request.template_name = options.template_name;
    if (options.max_seq_length > 0) request.max_seq_length = options.max_seq_length;

    STUDIO_TRY(auto* engine, engine::api::openEngine({context.log}));
    STUDIO_TRY(const jobs::Evaluation e, jobs::evaluate(*engine, request, context.job()));
    context.terminal.endLine();
    for (const std::string& notice : e.notices) context.terminal.say(notice);
    if (context.json) {
        context.print(jobs::toJson(e));
        return kOk;
    }
    const auto line = [](const char* what, const jobs::Losses& l) {
        std::printf("%-8s perplexity %8.3f   loss %.4f ± %.4f nats a token\n", what, l.perplexity, l.loss,
                    l.loss_stderr);
    };
    std::printf("%s conversations, %s supervised tokens\n", grouped(e.losses.conversations).c_str(),
                grouped(e.losses.tokens).c_str());
    if (e.base) line("base", *e.base);
    line(e.base ? "adapted" : "model", e.losses);
    if (e.difference)
        std::printf("difference        %s\n  without EOS     %s\n", jobs::differenceText(e.difference->all).c_str(),
                    jobs::differenceText(e.difference->without_eos).c_str());
    return kOk;
}

}  // namespace

void addEvaluate(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("evaluate", "Loss and perplexity on conversations, against the base");
    const auto options = std::make_shared<Options>();
    auto& model = options->request.model;
    command->add_option("--model_path", model.model_path, "base model, merged model, or run folder")->required();
    command
        ->add_option("--data_path", options->request.data_path, "OASST or chat JSONL, a prepared folder or a project")
        ->required();
    command->add_option("--adapter", model.adapter, "PEFT adapter, checkpoint or run");
    command->add_option("--qlora_config", model.qlora_config, "how the base is quantised");
    command->add_option("--load_in_4bit", options->load_in_4bit, "true or false")
        ->check(CLI::IsMember({"true", "false"}));
    options->filter_option = command->add_option("--filter", options->filter, "which messages");
    options->template_option =
        command->add_option("--template", options->template_name, "chat template")->check(templateNames());
    options->paths_option =
        command->add_option("--paths", options->paths, "best, leaves, replies or tree")->check(pathNames());
    options->train_on_option =
        command->add_option("--train_on", options->train_on, "assistant or all")->check(trainOnNames());
    command->add_option("--max_seq_length", options->max_seq_length, "tokens of a conversation")->check(notNegative());
    command->add_option("--batch_size", options->request.batch_size, "conversations at a time")
        ->check(positive())
        ->capture_default_str();
    command->add_option("--device", model.device, "where to compute")->check(deviceName())->capture_default_str();
    command->add_option("--threads", model.threads, "0: all cores")->capture_default_str();
    command->add_flag("--accept_truncated", options->request.accept_truncated,
                      "import what is readable of a file that breaks off");
    command->callback([options, &run] { run = [options](Context& context) { return evaluate(context, *options); }; });
}

}  // namespace studio::cli
