#include "jobs/load_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/grouped.h"
#include "config/presets.h"
#include "corpus/forest.h"
#include "dataset/make_examples.h"
#include "io/file.h"
#include "io/sha256.h"
#include "jobs/conversations.h"
#include "jobs/places.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

std::vector<dataset::Tree> trees(corpus::Forest forest) {
    std::vector<dataset::Tree> result;
    result.reserve(forest.trees.size());
    for (corpus::Tree& tree : forest.trees) {
        dataset::Tree& t = result.emplace_back();
        t.id = std::move(tree.id);
        t.nodes.reserve(tree.nodes.size());
        for (corpus::Node& n : tree.nodes)
            t.nodes.push_back(
                {std::move(n.message_id), n.parent, n.role, n.rank, std::move(n.text), std::move(n.lang)});
    }
    return result;
}

void addNotices(const corpus::ImportReport& report, std::vector<std::string>& notices) {
    if (report.rejected_count > 0 && !report.rejected.empty())
        notices.push_back(fmt::format("{}: {} lines or messages were rejected; the first, line {}: {}", report.file,
                                      report.rejected_count, report.rejected[0].line, report.rejected[0].reason));
    if (report.orphan_count > 0)
        notices.push_back(fmt::format(
            "{}: {} (answering a message that the file does not hold) left out, with what stands below.", report.file,
            report.orphan_count == 1 ? "1 orphan" : fmt::format("{} orphans", report.orphan_count)));
    if (report.truncated) notices.push_back(*report.truncated);
}

// The examples of an earlier `prepare` fix filter, template and split; a request that says otherwise is refused rather
// than ignored.
Result<LoadedData> loadPrepared(const fs::path& folder, const DataRequest& request, const JobContext& job) {
    STUDIO_TRY(dataset::Prepared prepared, dataset::readPrepared(folder, job));
    LoadedData data;
    STUDIO_TRY(data.tokenizer, text::loadTokenizer(request.tokenizer_folder));
    STUDIO_TRY(const std::string hash, tokenizerHash(request.tokenizer_folder));
    if (hash != prepared.provenance.tokenizer_sha256)
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("{} was prepared with another tokenizer than that of {}.", folder.string(),
                                request.tokenizer_folder.string()),
                    "Prepare the data again with --tokenizer naming the model's folder.");
    const auto differs = [&](std::string_view key, std::string_view there, std::string_view asked) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("{} was prepared with {} \"{}\", the recipe says \"{}\".", folder.string(), key, there, asked),
            "Prepare the data again, or change the recipe to match.");
    };
    const auto& p = prepared.provenance;
    const auto& examples = prepared.examples;
    if (request.filter && !request.filter->empty() && *request.filter != p.filter)
        return differs("filter", p.filter, *request.filter);
    if (request.template_name && *request.template_name != p.chat_template)
        return differs("template", p.chat_template, *request.template_name);
    if (request.paths && *request.paths != dataset::name(examples.paths))
        return differs("paths", dataset::name(examples.paths), *request.paths);
    if (request.train_on && *request.train_on != dataset::name(examples.train_on))
        return differs("train_on", dataset::name(examples.train_on), *request.train_on);
    if (request.max_seq_length && *request.max_seq_length != examples.max_seq_length)
        return differs("max_seq_length", fmt::format("{}", examples.max_seq_length),
                       fmt::format("{}", *request.max_seq_length));
    int longest = 0;
    for (const dataset::Span& span : examples.spans) longest = std::max(longest, span.position + span.size());
    if (request.model_context > 0 && longest > request.model_context)
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("{} holds a conversation of {} tokens; the model's context holds {}.", folder.string(),
                                longest, request.model_context),
                    fmt::format("Prepare the data again with --max_seq_length {}.", request.model_context));
    data.notices.push_back(
        fmt::format("Prepared data: its own split counts ({:.4g} held out, seed {}).", p.validation_fraction, p.seed));
    data.provenance = std::move(prepared.provenance);
    data.examples = std::make_shared<const dataset::Examples>(std::move(prepared.examples));
    return data;
}

}  // namespace

DataRequest dataRequest(const config::Recipe& recipe, const fs::path& config_file, const fs::path& tokenizer_folder,
                        int model_context) {
    const config::TrainingConfig& t = recipe.training;
    DataRequest request;
    request.data_path = t.data_path;
    request.config_file = config_file;
    request.tokenizer_folder = tokenizer_folder;
    if (!t.filter.empty()) request.filter = t.filter;
    request.view = t.view;
    request.paths = t.paths;
    request.template_name = t.template_name;
    request.train_on = t.train_on;
    if (t.max_seq_length) request.max_seq_length = static_cast<int>(*t.max_seq_length);
    request.model_context = model_context;
    request.validation_fraction = t.validation_fraction;
    request.seed = static_cast<std::uint64_t>(t.data_seed.value_or(t.seed));
    return request;
}

Result<std::string> tokenizerHash(const fs::path& folder) {
    std::string all;
    for (const char* file : {"tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json", "tokenizer.json"}) {
        if (!fs::exists(folder / file)) continue;
        STUDIO_TRY(const std::string hash, io::sha256File(folder / file));
        all += fmt::format("{} {}\n", file, hash);
    }
    return io::sha256(all);
}

std::vector<std::string> leftOutSentences(const dataset::Statistics& s) {
    std::vector<std::string> out;
    if (s.left_out.trees_without_reply > 0)
        out.push_back(
            fmt::format("Trees without an answer to learn from: {}.", grouped(s.left_out.trees_without_reply)));
    if (s.left_out.examples_without_target > 0)
        out.push_back(fmt::format("Conversations left out, no answer within the longest length (max_seq_length): {}.",
                                  grouped(s.left_out.examples_without_target)));
    if (s.left_out.messages_out_of_order > 0)
        out.push_back(fmt::format("Messages left out, prompter and assistant do not alternate: {}.",
                                  grouped(s.left_out.messages_out_of_order)));
    if (s.cut_tokens > 0)
        out.push_back(
            fmt::format("Tokens cut off beyond the longest length (max_seq_length): {}.", grouped(s.cut_tokens)));
    return out;
}

Result<LoadedData> loadData(const DataRequest& request, const JobContext& job) {
    if (request.data_path.empty())
        return fail(ErrorCode::InvalidArgument, "No data is named.",
                    "Set data_path to an OASST or chat JSONL file, a folder written by `prepare`, or a project.");
    if (request.view && !request.view->empty())
        return fail(ErrorCode::NotFound, fmt::format("The data holds no selection named \"{}\".", *request.view),
                    "Set view to null, and write the selection's conditions into filter.");
    std::vector<fs::path> files;
    for (const std::string& written : request.data_path) {
        STUDIO_TRY(files.emplace_back(), config::resolveDataPath(written, request.config_file, resourceFolder()));
    }
    if (files.size() == 1 && dataset::isPreparedFolder(files[0])) return loadPrepared(files[0], request, job);

    LoadedData data;
    const std::string filter_text = request.filter.value_or(""),
                      template_name = request.template_name.value_or("openassistant");
    STUDIO_TRY(const corpus::Filter filter, corpus::parseFilter(filter_text));
    STUDIO_TRY(const auto chat_template, text::chatTemplate(template_name));
    STUDIO_TRY(data.tokenizer, text::loadTokenizer(request.tokenizer_folder));
    corpus::ImportOptions import;
    import.accept_truncated = request.accept_truncated;
    STUDIO_TRY(Conversations conversations, openConversations(files, filter, import, job));
    for (const corpus::ImportReport& report : conversations.reports) addNotices(report, data.notices);
    STUDIO_TRY(corpus::Forest forest, corpus::loadForest(conversations.store, filter, job));
    if (conversations.reports.empty() && forest.left_out.orphans > 0)
        data.notices.push_back(fmt::format("Orphans left out: {}, with what stands below.", forest.left_out.orphans));
    data.provenance.sources = std::move(conversations.sources);
    std::vector<std::string> why;
    for (const auto& [count, words] : {std::pair{forest.left_out.deleted, "deleted"},
                                       {forest.left_out.filtered, "by the filter"},
                                       {forest.left_out.below, "below one left out"}})
        if (count > 0) why.push_back(fmt::format("{} {}", grouped(count), words));
    if (!why.empty()) data.notices.push_back(fmt::format("Messages left out: {}.", fmt::join(why, ", ")));

    dataset::ExampleOptions options;
    STUDIO_TRY(options.paths, dataset::pathPolicy(request.paths.value_or("best")));
    STUDIO_TRY(options.train_on, dataset::trainOn(request.train_on.value_or("assistant")));
    options.max_seq_length = request.max_seq_length.value_or(request.model_context);
    options.validation_fraction = request.validation_fraction;
    options.seed = request.seed;
    STUDIO_TRY(dataset::Examples examples,
               dataset::makeExamples(trees(std::move(forest)), *data.tokenizer, *chat_template, options, job));
    if (examples.size() == 0)
        return fail(ErrorCode::InvalidArgument, "No conversation is left to learn from.",
                    filter_text.empty() ? "The data holds no assistant message that can be reached from a prompt."
                                        : "Widen the filter.");

    data.provenance.filter = filter_text;
    data.provenance.chat_template = template_name;
    STUDIO_TRY(data.provenance.tokenizer_sha256, tokenizerHash(request.tokenizer_folder));
    data.provenance.vocab_size = data.tokenizer->size();
    data.provenance.eos = data.tokenizer->eos();
    data.provenance.validation_fraction = request.validation_fraction;
    data.provenance.seed = request.seed;
    for (std::string& sentence : leftOutSentences(examples.statistics)) data.notices.push_back(std::move(sentence));
    data.examples = std::make_shared<const dataset::Examples>(std::move(examples));
    return data;
}

}  // namespace studio::jobs
