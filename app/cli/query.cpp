#include <fmt/format.h>

#include "cli/command.h"
#include "corpus/query.h"
#include "jobs/conversations.h"

namespace studio::cli {
namespace {

struct Options {
    std::vector<std::string> data;
    std::string filter;
    bool accept_truncated = false;
};

Result<int> query(Context& context, const Options& options) {
    // Before the import, so that a slip in the filter costs nothing.
    const auto parsed = corpus::parseFilter(options.filter);
    if (!parsed) return context.usage(parsed.error());
    const corpus::Filter& filter = *parsed;
    corpus::ImportOptions import;
    import.accept_truncated = options.accept_truncated;
    STUDIO_TRY(jobs::Conversations data,
               jobs::openConversations({options.data.begin(), options.data.end()}, filter, import, context.job()));
    for (const corpus::ImportReport& report : data.reports) {
        context.terminal.endLine();
        if (!context.json) context.terminal.say(report.summary());
        for (std::size_t i = 0; i < std::min<std::size_t>(report.orphans.size(), 10) && !context.json; ++i)
            context.terminal.say(fmt::format("  line {}: {}", report.orphans[i].line, report.orphans[i].reason));
        for (std::size_t i = 0; i < std::min<std::size_t>(report.rejected.size(), 10); ++i)
            context.terminal.say(fmt::format("  line {}: {}", report.rejected[i].line, report.rejected[i].reason));
    }
    corpus::QueryOptions query_options;
    query_options.message_ids = true;
    STUDIO_TRY(const corpus::QueryResult result, corpus::query(data.store, filter, query_options, context.job()));
    context.terminal.endLine();
    if (context.json) {
        context.print({{"messages", result.messages},
                       {"conversations", result.conversations},
                       {"roots", result.roots},
                       {"orphans", result.orphans},
                       {"message_ids", result.message_ids}});
        return kOk;
    }
    std::printf("%s\n%s messages in %s conversations, %s roots, %s orphans\n", corpus::describe(filter).c_str(),
                grouped(result.messages).c_str(), grouped(result.conversations).c_str(), grouped(result.roots).c_str(),
                grouped(result.orphans).c_str());
    return kOk;
}

}  // namespace

void addQuery(CLI::App& app, Run& run) {
    CLI::App* command = app.add_subcommand("query", "Count and list the messages a filter matches");
    const auto options = std::make_shared<Options>();
    command->add_option("--data", options->data, "OASST or chat JSONL files, also .gz, or a project")->required();
    command->add_option("--filter", options->filter, "for example: lang:en role:assistant quality>=0.6");
    command->add_flag("--accept_truncated", options->accept_truncated,
                      "import what is readable of a file that breaks off");
    command->callback([options, &run] { run = [options](Context& context) { return query(context, *options); }; });
}

}  // namespace studio::cli
