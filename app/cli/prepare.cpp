#include <fmt/format.h>

#include "cli/command.h"
#include "dataset/prepared.h"
#include "jobs/load_data.h"
#include "jobs/places.h"

namespace studio::cli {
namespace {

struct Options {
    std::string out, tokenizer;
    jobs::DataRequest data;
    std::string filter, paths = "best", template_name = "openassistant", train_on = "assistant";
    int max_seq_length = 0;
};

Result<int> prepare(Context& context, Options options) {
    jobs::DataRequest& request = options.data;
    request.filter = options.filter;
    request.paths = options.paths;
    request.template_name = options.template_name;
    request.train_on = options.train_on;
    request.max_seq_length = options.max_seq_length;
    for (const std::string& path : request.data_path) {
        if (dataset::isPreparedFolder(path))
            return fail(ErrorCode::InvalidArgument, path + " is prepared already.",
                        "Give the conversations it was made from.");
    }
    if (options.tokenizer.empty()) {
        request.tokenizer_folder = jobs::resourceFolder() / "demo" / "model";
        context.terminal.say("No --tokenizer: the built-in model's is used.");
    } else {
        request.tokenizer_folder = options.tokenizer;
    }
    STUDIO_TRY(const jobs::LoadedData data, jobs::loadData(request, context.job()));
    const auto ops = io::realFileOps();
    STUDIO_CHECK(dataset::writePrepared(*ops, options.out, *data.examples, data.provenance, context.job()));
    context.terminal.endLine();
    const dataset::Statistics& s = data.examples->statistics;
    if (context.json) {
        context.print({{"conversations", s.conversations},
                       {"examples", s.examples},
                       {"tokens", s.tokens},
                       {"supervised_tokens", s.supervised_tokens},
                       {"repetition", s.repetition},
                       {"cut_tokens", s.cut_tokens},
                       {"left_out", s.left_out.conversations()},
                       {"validation_examples", data.examples->of(dataset::Split::Validation).size()}});
        return kOk;
    }
    for (const std::string& notice : data.notices) context.terminal.say(notice);
    std::printf("%s conversations, %s examples (%s held out), %s tokens of which %s are learned\n%s\n",
                grouped(s.conversations).c_str(), grouped(s.examples).c_str(),
                grouped(static_cast<std::int64_t>(data.examples->of(dataset::Split::Validation).size())).c_str(),
                grouped(s.tokens).c_str(), grouped(s.supervised_tokens).c_str(), options.out.c_str());
    return kOk;
}

}  // namespace

void addPrepare(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("prepare", "Turn conversations into tokens, ready to train on");
    const auto options = std::make_shared<Options>();
    jobs::DataRequest& data = options->data;
    data.validation_fraction = 0.05;
    command->add_option("--data", data.data_path, "OASST or chat JSONL files, also .gz, or a project")->required();
    command->add_option("--out", options->out, "folder to write manifest.json and tokens.safetensors to")->required();
    command->add_option("--filter", options->filter, "which messages; see `query --help`");
    command->add_option("--paths", options->paths, "best, leaves, replies or tree")
        ->check(pathNames())
        ->capture_default_str();
    command->add_option("--template", options->template_name, "openassistant, human-assistant, instruct-output, alpaca")
        ->check(templateNames())
        ->capture_default_str();
    command->add_option("--train_on", options->train_on, "assistant or all")
        ->check(trainOnNames())
        ->capture_default_str();
    command->add_option("--tokenizer", options->tokenizer, "the model's folder");
    command->add_option("--max_seq_length", options->max_seq_length, "tokens of a conversation; 0: unbounded")
        ->check(notNegative())
        ->capture_default_str();
    command->add_option("--validation_fraction", data.validation_fraction, "share of the trees held out")
        ->check(CLI::Range(0.0, 0.999))
        ->capture_default_str();
    command->add_option("--seed", data.seed, "of the split")->capture_default_str();
    command->add_flag("--accept_truncated", data.accept_truncated, "import what is readable of a file that breaks off");
    command->callback([options, &run] { run = [options](Context& context) { return prepare(context, *options); }; });
}

}  // namespace studio::cli
