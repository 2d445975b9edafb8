// One conversation as the trainer's batch has it: tokens, borders, targets.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/job.h"
#include "config/recipe.h"
#include "corpus/catalogue.h"
#include "dataset/examples.h"
#include "text/tokenizer.h"

namespace studio::jobs {

struct ProofToken {
    int id = 0;
    std::string bytes;  // what it stands for; not always whole characters
    text::SpanKind kind = text::SpanKind::Marker;
    bool supervised = false;  // a target of the loss
    bool special = false;     // put in by its id, such as the EOS
    int position = 0;         // within the model's context
    int message = 0;          // index into ProofExample::messages
};

struct ProofExample {
    struct Message {
        std::string id;
        text::Role role = text::Role::Prompter;
        int first = 0, tokens = 0;  // tokens [first, first + tokens)
    };
    std::vector<Message> messages;
    std::vector<ProofToken> tokens;
    std::int64_t supervised = 0;
};

struct ProofSheet {
    std::filesystem::path tokenizer_folder;
    std::string tokenizer_name, template_name, filter;
    dataset::PathPolicy paths = dataset::PathPolicy::Best;
    dataset::TrainOn train_on = dataset::TrainOn::Assistant;
    int max_seq_length = 0;              // the recipe's, else the model's context
    std::vector<ProofExample> examples;  // empty: the recipe leaves the conversation out
    std::string left_out;                // why, as a sentence
    std::int64_t cut_tokens = 0;         // beyond max_seq_length
};

// A folder's tokenizer, kept for the next sheet.
struct TokenizerCache {
    std::filesystem::path folder;
    std::shared_ptr<const text::Tokenizer> tokenizer;
};

// `tree`: index into catalogue.trees(). Filter, paths, template, train_on and length are the recipe's, the tokenizer is
// that of its base model; NotFound, with what to do, where that is missing.
Result<ProofSheet> proofSheet(corpus::Store& store, const corpus::Catalogue& catalogue, std::int32_t tree,
                              const config::Recipe& recipe, const std::filesystem::path& config_file,
                              TokenizerCache& cache, const JobContext& job);

}  // namespace studio::jobs
