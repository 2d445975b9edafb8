#include <fmt/format.h>

#include "cli/command.h"
#include "jobs/inspect.h"

namespace studio::cli {
namespace {

Result<int> inspect(Context& context, const std::string& path) {
    STUDIO_TRY(const jobs::Inspection i, jobs::inspect(path, context.job()));
    context.terminal.endLine();
    if (context.json) {
        context.print(i.json);
    } else {
        std::printf("%s\n", i.kind.c_str());
        for (const std::string& line : i.lines) std::printf("  %s\n", line.c_str());
        for (const std::string& line : i.problems) std::printf("  problem: %s\n", line.c_str());
        std::printf("%s\n", i.sound ? "sound" : "not sound");
    }
    return i.sound ? kOk : kFailed;
}

}  // namespace

void addInspect(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("inspect", "Say what a file or folder holds and whether it is sound");
    const auto path = std::make_shared<std::string>();
    command->add_option("path", *path, "safetensors, GGUF or JSONL file; model, adapter, run or prepared folder")
        ->required();
    command->callback([path, &run] { run = [path](Context& context) { return inspect(context, *path); }; });
}

}  // namespace studio::cli
