#include "jobs/evaluate.h"

#include <fmt/format.h>

#include "config/model_config.h"
#include "jobs/load_data.h"

namespace studio::jobs {
namespace {

bool sameSources(const dataset::Provenance& a, const dataset::Provenance& b) {
    if (a.sources.size() != b.sources.size() || a.sources.empty()) return false;
    for (std::size_t i = 0; i < a.sources.size(); ++i) {
        if (a.sources[i].sha256 != b.sources[i].sha256) return false;
    }
    return true;
}

}  // namespace

io::Json toJson(const Evaluation& e) {
    io::Json json = toJson(e.losses);
    json["left_out"] = e.left_out;
    json["held_out_only"] = e.held_out_only;
    if (e.base) {
        json["base_loss"] = e.base->loss;
        json["base_perplexity"] = e.base->perplexity;
    }
    if (e.difference) json["difference"] = toJson(*e.difference);
    return json;
}

Result<Evaluation> evaluate(engine::api::Engine& engine, const EvaluateRequest& request, const JobContext& job) {
    STUDIO_TRY(const ResolvedModel resolved, resolveModel(request.model));
    STUDIO_TRY(const config::PhiConfig phi, config::readPhiConfig(resolved.base));

    // The run's own reading of the data, unless asked otherwise.
    DataRequest data;
    data.tokenizer_folder = resolved.base;
    data.data_path = request.data_path;
    data.accept_truncated = request.accept_truncated;
    data.model_context = phi.max_position_embeddings;
    if (resolved.run) data.template_name = resolved.template_name;
    if (resolved.run) {
        const DataRequest of_run = dataRequest(resolved.run->recipe, {}, resolved.base, phi.max_position_embeddings);
        data.filter = of_run.filter;
        data.paths = of_run.paths;
        data.train_on = of_run.train_on;
        data.max_seq_length = of_run.max_seq_length;
        data.validation_fraction = of_run.validation_fraction;
        data.seed = of_run.seed;
    }
    if (request.filter) data.filter = request.filter;
    if (request.paths) data.paths = request.paths;
    if (request.train_on) data.train_on = request.train_on;
    if (request.template_name) data.template_name = request.template_name;
    if (request.max_seq_length && *request.max_seq_length > 0)
        data.max_seq_length = std::min(*request.max_seq_length, phi.max_position_embeddings);
    STUDIO_TRY(const LoadedData loaded, loadData(data, job));

    Evaluation evaluation;
    evaluation.notices = resolved.notices;
    evaluation.notices.insert(evaluation.notices.end(), loaded.notices.begin(), loaded.notices.end());
    evaluation.left_out = loaded.examples->statistics.left_out.conversations();
    std::vector<int> which = loaded.examples->all();
    if (resolved.run && sameSources(resolved.run->provenance, loaded.provenance)) {
        which = loaded.examples->of(dataset::Split::Validation);
        evaluation.held_out_only = true;
        evaluation.notices.push_back(fmt::format(
            "The run was trained on this data: measured on its {} held-out conversations only.", which.size()));
    }

    STUDIO_TRY(const auto model, loadModel(engine, resolved, job));
    LossOptions options;
    options.batch_size = request.batch_size;
    if (resolved.run) options.batch_size = static_cast<int>(resolved.run->recipe.training.per_device_eval_batch_size);
    options.max_seq_length = loaded.examples->max_seq_length;
    options.eos = loaded.provenance.eos;
    options.phase = "Measuring loss";
    STUDIO_TRY(evaluation.losses, measureLosses(*model, loaded.examples, which, options, job));
    if (!resolved.adapter.empty()) {
        options.adapter_strength = 0;
        options.phase = "Measuring the base";
        STUDIO_TRY(evaluation.base, measureLosses(*model, loaded.examples, which, options, job));
        evaluation.difference = pairedDifference(evaluation.base->trees, evaluation.losses.trees);
    }
    return evaluation;
}

}  // namespace studio::jobs
