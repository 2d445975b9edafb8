// qlora-studio: the command line. Underscore and hyphen forms of options are the same.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"
#include "jobs/places.h"

namespace {

using namespace studio;

// --model-path=x and --model_path=x are one option.
std::vector<std::string> normalised(int argc, char** argv) {
    std::vector<std::string> arguments;
    for (int i = argc - 1; i > 0; --i) {  // CLI11 wants them reversed
        std::string a = argv[i];
        if (a.rfind("--", 0) == 0) {
            const auto end = std::min(a.find('='), a.size());
            for (std::size_t c = 2; c < end; ++c) {
                if (a[c] == '-') a[c] = '_';
            }
        }
        arguments.push_back(std::move(a));
    }
    return arguments;
}

// On every command that does work (not on those that only hold others).
void addJsonFlag(CLI::App& app, bool& json) {
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (command->get_subcommands([](const CLI::App*) { return true; }).empty())
            command->add_flag("--json", json, "print one JSON object on stdout");
        else
            addJsonFlag(*command, json);
    }
}

int finish(cli::Context& context, const Result<int>& result) {
    if (result) return *result;
    const Error& error = result.error();
    context.log->error(error.text());
    if (error.cancelled()) {
        context.terminal.endLine();
        context.terminal.say("Stopped.");
        return cli::kStopped;
    }
    context.terminal.error(error);
    return cli::kFailed;
}

}  // namespace

int main(int argc, char** argv) {
    // Before any thread: compute threads that wait sleep instead of spinning, so that a busy machine (a window, another
    // run) does not slow them many times over. Read when the engine's OpenMP runtime is opened.
    setenv("OMP_WAIT_POLICY", "passive", 0);
    cli::Signals signals;  // before any thread
    cli::Terminal terminal;
    auto logger = makeFileLogger(jobs::logFile());
    cli::Context context{signals, terminal, logger ? *logger : makeNullLogger()};

    CLI::App app("Fine-tunes phi-2 on OASST1 conversations with QLoRA, on this machine.", "qlora-studio");
    app.set_version_flag("--version", std::string("qlora-studio ") + STUDIO_VERSION);
    app.require_subcommand(0, 1);
    app.get_formatter()->column_width(34);
    cli::Run run;
#ifdef STUDIO_UI
    std::vector<std::string> paths;
    app.add_option("paths", paths, "a project to open, or conversation files to import")
        ->option_text("[PROJECT|FILE...]");
#endif
    cli::addPrepare(app, run);
    cli::addTrain(app, run);
    cli::addEvaluate(app, run);
    cli::addChat(app, run);
    cli::addQuery(app, run);
    cli::addTokenize(app, run);
    cli::addInspect(app, run);
    cli::addBench(app, run);
    addJsonFlag(app, context.json);

    try {
        app.parse(normalised(argc, argv));
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? cli::kOk : cli::kUsage;
    }
    if (!run) run = cli::demonstration;
#ifdef STUDIO_UI
    // A word that is no command and no file was meant as one of the two.
    for (const std::string& path : paths) {
        if (std::filesystem::exists(path)) continue;
        context.terminal.error({ErrorCode::NotFound,
                                fmt::format("{} is no command, and no such file or folder exists.", path),
                                "qlora-studio --help lists the commands."});
        return cli::kUsage;
    }
    const bool window = app.get_subcommands().empty() && (cli::hasDisplay() || !paths.empty());
    if (window) run = [&paths](cli::Context& c) { return cli::openWindow(c, paths); };
#endif
    const int code = finish(context, run(context));
    if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
    context.terminal.error(
        {ErrorCode::Io, "The output could not be written.", "Is the disk full, or the reader gone?"});
    return cli::kFailed;
}
