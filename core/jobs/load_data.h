// From a path a person named to examples: an OASST or chat JSONL file, a folder that `prepare` wrote, or a project.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/job.h"
#include "config/recipe.h"
#include "dataset/prepared.h"
#include "text/tokenizer.h"

namespace studio::jobs {

struct DataRequest {
    std::vector<std::string> data_path;      // as written; resolved against `config_file` and the resources
    std::filesystem::path config_file;       // may be empty
    std::filesystem::path tokenizer_folder;  // usually the model's
    std::optional<std::string> view;         // a selection of the project by name
    // Not given: as prepared, or (for conversations) no filter, best, openassistant, assistant.
    std::optional<std::string> filter, paths, template_name, train_on;
    std::optional<int> max_seq_length;  // not given: as prepared, or `model_context`
    int model_context = 0;              // no path may be longer; 0: unbounded
    double validation_fraction = 0;
    std::uint64_t seed = 42;        // of the split
    bool accept_truncated = false;  // import the readable part of a file that breaks off
};
DataRequest dataRequest(const config::Recipe& recipe, const std::filesystem::path& config_file,
                        const std::filesystem::path& tokenizer_folder, int model_context);

struct LoadedData {
    std::shared_ptr<const dataset::Examples> examples;
    dataset::Provenance provenance;
    std::shared_ptr<const text::Tokenizer> tokenizer;
    std::vector<std::string> notices;  // what a person should know: orphans, rejected lines, what was left out
};
Result<LoadedData> loadData(const DataRequest& request, const JobContext& job);

// "SHA-256 of the SHA-256s" of the tokenizer's files: equal hashes give equal ids.
Result<std::string> tokenizerHash(const std::filesystem::path& folder);

// "1,024 examples, 500,000 tokens …" and what was left out, one sentence each.
std::vector<std::string> leftOutSentences(const dataset::Statistics& statistics);

}  // namespace studio::jobs
