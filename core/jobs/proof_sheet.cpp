#include "jobs/proof_sheet.h"

#include <fmt/format.h>

#include "config/model_config.h"
#include "config/presets.h"
#include "corpus/forest.h"
#include "dataset/make_examples.h"
#include "jobs/model_search.h"
#include "jobs/places.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

std::string whyLeftOut(const corpus::Forest& forest, const dataset::Examples& examples) {
    if (forest.trees.empty()) return "The recipe's filter leaves this conversation out.";
    if (examples.statistics.left_out.examples_without_target > 0)
        return fmt::format("No answer of this conversation lies within {} tokens.", examples.max_seq_length);
    return "With the recipe's filter this conversation has no answer to learn from.";
}

std::string modelName(const fs::path& folder, const config::PhiConfig& model) {
    if (!model.name_or_path.empty() && !fs::path(model.name_or_path).is_absolute()) return model.name_or_path;
    return fmt::format("{}/{}", folder.parent_path().filename().string(), folder.filename().string());
}

ProofExample proofExample(const dataset::Examples& examples, const dataset::Example& example, const dataset::Tree& tree,
                          const text::Tokenizer& tokenizer) {
    ProofExample proof;
    proof.tokens.reserve(example.tokens.size());
    for (const dataset::Span& span : example.spans) {
        const std::string& id = examples.message_ids[static_cast<std::size_t>(span.message)];
        ProofExample::Message message{id, text::Role::Prompter, span.begin, span.size()};
        for (const dataset::Node& node : tree.nodes)
            if (node.message_id == id) message.role = node.role;
        for (int i = span.begin; i < span.end; ++i) {
            const auto at = static_cast<std::size_t>(i);
            ProofToken token;
            token.id = example.tokens[at];
            token.bytes = tokenizer.tokenBytes(token.id);
            token.kind = example.kinds[at];
            token.supervised = example.supervised[at] != 0;
            token.special = tokenizer.isSpecial(token.id);
            token.position = span.position + i - span.begin;
            token.message = static_cast<int>(proof.messages.size());
            proof.supervised += token.supervised;
            proof.tokens.push_back(std::move(token));
        }
        proof.messages.push_back(std::move(message));
    }
    return proof;
}

}  // namespace

Result<ProofSheet> proofSheet(corpus::Store& store, const corpus::Catalogue& catalogue, std::int32_t tree,
                              const config::Recipe& recipe, const fs::path& config_file, TokenizerCache& cache,
                              const JobContext& job) {
    const config::TrainingConfig& t = recipe.training;
    ProofSheet sheet;
    if (t.model_name_or_path.empty())
        return fail(ErrorCode::NotFound, "The recipe names no base model, so it is not known which tokenizer counts.",
                    "Choose a base model in the recipe.");
    STUDIO_TRY(sheet.tokenizer_folder, baseFolder(t.model_name_or_path, config_file));
    if (cache.folder != sheet.tokenizer_folder || !cache.tokenizer) {
        STUDIO_TRY(cache.tokenizer, text::loadTokenizer(sheet.tokenizer_folder));
        cache.folder = sheet.tokenizer_folder;
    }
    STUDIO_TRY(const config::PhiConfig model, config::readPhiConfig(sheet.tokenizer_folder));
    STUDIO_TRY(const auto chat_template, text::chatTemplate(t.template_name));
    STUDIO_TRY(const corpus::Filter filter, corpus::parseFilter(t.filter));
    dataset::ExampleOptions options;
    STUDIO_TRY(options.paths, dataset::pathPolicy(t.paths));
    STUDIO_TRY(options.train_on, dataset::trainOn(t.train_on));
    options.max_seq_length = static_cast<int>(t.max_seq_length.value_or(model.max_position_embeddings));

    STUDIO_TRY(const corpus::Selection selection, corpus::select(store, catalogue, filter, job));
    STUDIO_TRY(corpus::Forest forest, corpus::readForest(store, catalogue, selection, {tree}, job));
    std::vector<dataset::Tree> trees;
    for (corpus::Tree& read : forest.trees) {
        dataset::Tree& one = trees.emplace_back();
        one.id = std::move(read.id);
        for (corpus::Node& n : read.nodes)
            one.nodes.push_back(
                {std::move(n.message_id), n.parent, n.role, n.rank, std::move(n.text), std::move(n.lang)});
    }
    STUDIO_TRY(const dataset::Examples examples,
               dataset::makeExamples(trees, *cache.tokenizer, *chat_template, options, job));

    sheet.tokenizer_name = modelName(sheet.tokenizer_folder, model);
    sheet.template_name = t.template_name;
    sheet.filter = t.filter;
    sheet.paths = options.paths;
    sheet.train_on = options.train_on;
    sheet.max_seq_length = options.max_seq_length;
    sheet.cut_tokens = examples.statistics.cut_tokens;
    if (examples.size() == 0) sheet.left_out = whyLeftOut(forest, examples);
    for (int i = 0; i < examples.size(); ++i)
        sheet.examples.push_back(proofExample(examples, examples[i], trees.front(), *cache.tokenizer));
    return sheet;
}

}  // namespace studio::jobs
