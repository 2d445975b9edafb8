// Loss and perplexity of a model on conversations; with an adapter, the difference to its base.
#pragma once

#include <optional>
#include <string>

#include "jobs/losses.h"
#include "jobs/model_folder.h"

namespace studio::jobs {

struct EvaluateRequest {
    ModelRequest model;
    std::vector<std::string> data_path;
    // Empty or unset: what the run records, else the defaults of `prepare`.
    std::optional<std::string> filter, paths, train_on, template_name;
    std::optional<int> max_seq_length;
    bool accept_truncated = false;
    int batch_size = 8;
};

struct Evaluation {
    Losses losses;                         // of the model with its adapter, or of the base alone
    std::optional<Losses> base;            // with an adapter: the base on the same conversations
    std::optional<Difference> difference;  // adapted − base, paired by tree
    std::int64_t left_out = 0;             // conversations
    bool held_out_only = false;            // the data is the run's own: only what it never trained on
    std::vector<std::string> notices;
};
io::Json toJson(const Evaluation& evaluation);

// A run evaluated on the data it was trained on is measured on its held-out trees, since the others would flatter it.
Result<Evaluation> evaluate(engine::api::Engine& engine, const EvaluateRequest& request, const JobContext& job);

}  // namespace studio::jobs
