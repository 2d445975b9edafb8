#include "jobs/evaluate_run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <set>

#include "config/model_config.h"
#include "io/file.h"
#include "jobs/held_out_prompts.h"
#include "jobs/load_data.h"
#include "jobs/model_folder.h"
#include "jobs/train_setup.h"
#include "project/checkpoint.h"
#include "project/checkpoint_folder.h"
#include "project/run_folder.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

std::string now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

bool sameSources(const dataset::Provenance& a, const dataset::Provenance& b) {
    if (a.sources.size() != b.sources.size()) return false;
    for (std::size_t i = 0; i < a.sources.size(); ++i) {
        if (a.sources[i].sha256 != b.sources[i].sha256) return false;
    }
    return true;
}

// Examples the run never trained on. Where its data has changed since, the split of the new data could hold trees that
// were trained on: then only the trees count that the run recorded as held out.
Result<std::vector<int>> heldOut(const EvaluationPlan& plan, const fs::path& run, const LoadedData& data,
                                 std::vector<std::string>& notices) {
    if (sameSources(plan.record.provenance, data.provenance)) return data.examples->of(dataset::Split::Validation);
    const auto before = io::readJson(run / "evaluation" / "before.json");
    if (!before || !before->contains("trees") || !(*before)["trees"].is_object())
        return fail(ErrorCode::InvalidArgument,
                    "The data has changed since the run, and the run does not record which trees it held out.",
                    "Put the run's data back, or start a new run on the present data.");
    std::set<std::string> trees;
    for (const auto& [id, value] : (*before)["trees"].items()) trees.insert(id);
    std::vector<int> which;
    for (const int example : data.examples->all()) {
        if (trees.contains(data.examples->treeId(example))) which.push_back(example);
    }
    notices.push_back("The data has changed since the run: measured on those trees only that the run held out.");
    return which;
}

std::string firstPrompt(const LoadedData& data, int index) {
    const dataset::Example example = (*data.examples)[index];
    std::vector<int> ids;
    if (example.spans.empty()) return {};
    for (int i = 0; i < example.spans[0].end; ++i) {
        if (example.kinds[static_cast<std::size_t>(i)] == text::SpanKind::PrompterText)
            ids.push_back(example.tokens[static_cast<std::size_t>(i)]);
    }
    return data.tokenizer->decode(ids);
}

SideResult side(const Losses& losses) {
    return {losses.loss, losses.loss_stderr, losses.perplexity};
}

}  // namespace

Result<EvaluationPlan> planEvaluation(const EvaluateRunRequest& request) {
    EvaluationPlan plan;
    STUDIO_TRY(const project::RunInfo info, project::readRun(request.run));
    plan.run_name = info.name;
    STUDIO_TRY(plan.record, runRecord(info.details));
    for (const auto& source : plan.record.provenance.sources) plan.data.push_back(source.name);
    plan.held_out = plan.record.validation_examples;
    if (plan.held_out == 0)
        return fail(ErrorCode::InvalidArgument, fmt::format("The run {} held no conversation out.", info.name),
                    "Set validation_fraction above 0 in the recipe and start a new run.");
    if (!fs::exists(plan.record.base_folder / "config.json"))
        return fail(ErrorCode::NotFound,
                    fmt::format("The run's base model is no longer at {}.", plan.record.base_folder.string()),
                    "Put it back; the run's checkpoints are of use only with it.");
    for (const fs::path& path : plan.record.data) {
        if (!fs::exists(path))
            return fail(ErrorCode::NotFound, fmt::format("The run's data is no longer at {}.", path.string()),
                        "Put the file back, or import it again and start a new run.");
    }
    if (request.base_only) return plan;
    if (!request.checkpoint.empty()) {
        STUDIO_CHECK(project::verifyCheckpoint(request.checkpoint));
        plan.checkpoint = request.checkpoint;
        for (const auto& found : project::listCheckpoints(request.run)) {
            if (found.folder.filename() == request.checkpoint.filename()) plan.step = found.step;
        }
        return plan;
    }
    const project::CheckpointSearch found = project::newestCheckpoint(request.run);
    if (!found.newest)
        return fail(ErrorCode::NotFound, fmt::format("The run {} has no complete checkpoint yet.", info.name),
                    "Let it train until its first checkpoint, or measure the base alone.");
    plan.checkpoint = found.newest->folder;
    plan.step = found.newest->step;
    return plan;
}

Result<EvaluationRecord> evaluateRun(engine::api::Engine& engine, const EvaluateRunRequest& request,
                                     const JobContext& job) {
    const auto start = std::chrono::steady_clock::now();
    STUDIO_TRY(const EvaluationPlan plan, planEvaluation(request));
    const RunRecord& run = plan.record;
    STUDIO_TRY(const config::PhiConfig phi, config::readPhiConfig(run.base_folder));

    EvaluationRecord record;
    record.run_name = plan.run_name;
    record.run = request.run;
    record.checkpoint = plan.checkpoint;
    record.step = plan.step;
    record.base_name = run.base_folder.filename().string();
    record.time = now();
    record.template_name = run.recipe.training.template_name;
    record.data = plan.data;

    DataRequest wanted = dataRequest(run.recipe, {}, run.base_folder, phi.max_position_embeddings);
    wanted.data_path.clear();
    for (const fs::path& path : run.data) wanted.data_path.push_back(path.string());
    STUDIO_TRY(const LoadedData data, loadData(wanted, job));
    STUDIO_TRY(const std::vector<int> which, heldOut(plan, request.run, data, record.notices));

    ResolvedModel resolved;
    resolved.base = run.base_folder;
    resolved.adapter = plan.checkpoint;
    config::Recipe how = run.recipe;
    how.training.device = request.device;
    how.training.threads = request.threads;
    resolved.source = modelSource(run.base_folder, how);
    STUDIO_TRY(const auto model, loadModel(engine, resolved, job));
    record.device = model->info().device.name;

    const bool adapted = !plan.checkpoint.empty();
    LossOptions options;
    options.batch_size = static_cast<int>(run.recipe.training.per_device_eval_batch_size);
    options.max_seq_length = data.examples->max_seq_length;
    options.eos = data.provenance.eos;
    options.phase = adapted ? "Loss with the adapter" : "Loss of the base";
    STUDIO_TRY(const Losses losses, measureLosses(*model, data.examples, which, options, job));
    std::optional<Losses> base;
    if (adapted) {
        options.adapter_strength = 0;
        options.phase = "Loss of the base";
        STUDIO_TRY(base, measureLosses(*model, data.examples, which, options, job));
    }
    record.model = side(losses);
    record.trees = static_cast<std::int64_t>(losses.trees.size());
    record.tokens = losses.tokens;
    if (base) {
        record.base = side(*base);
        record.difference = pairedDifference(base->trees, losses.trees);
    }
    // `each` follows `which`, less those without a target: told apart by their last message.
    std::size_t next = 0;
    for (const int example : which) {
        if (next == losses.each.size()) break;
        const ConversationLoss& c = losses.each[next];
        if (c.last_message_id != data.examples->lastMessageId(example)) continue;
        EvaluatedConversation row{c.last_message_id, firstPrompt(data, example), c.tokens, c.loss, std::nullopt};
        if (base) row.base = base->each[next].loss;
        record.each.push_back(std::move(row));
        ++next;
    }
    if (request.answers > 0) {
        AnswerRequest answers;
        answers.prompts = heldOutPrompts(data, static_cast<std::size_t>(request.answers));
        answers.max_new_tokens = request.max_new_tokens;
        STUDIO_TRY(const auto chat_template, text::chatTemplate(data.provenance.chat_template));
        STUDIO_TRY(record.answers, measureAnswers({*model, *data.tokenizer, *chat_template}, answers, adapted, job));
    }
    record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return record;
}

}  // namespace studio::jobs
