#include "jobs/run_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/adapter_config.h"
#include "jobs/chat.h"
#include "jobs/trainer_state.h"

namespace studio::jobs {
namespace {

// No exception crosses back into the engine.
template <class F>
Result<void> guarded(F&& f) noexcept {
    try {
        return f();
    } catch (const std::exception& e) {
        return fail(ErrorCode::Internal, fmt::format("Recording the run failed ({}).", e.what()),
                    "Resume the run; if it happens again, report it with the log.");
    }
}

}  // namespace

Result<RunWriter> RunWriter::open(std::shared_ptr<io::FileOps> ops, const std::filesystem::path& run_folder,
                                  ReadyToTrain& ready, const engine::api::TrainerState* resumed,
                                  TrainListener& listener) {
    const auto keep = resumed ? std::optional<std::int64_t>(resumed->step) : std::nullopt;
    // A run that died before its first checkpoint is begun again over what it had logged.
    STUDIO_TRY(auto log, project::RunLog::open(ops, run_folder, keep ? keep : std::optional<std::int64_t>(-1)));
    for (const std::string& note : log.notes()) listener.onNotice(note);
    RunWriter writer(std::move(ops), run_folder, ready, std::move(log), listener);
    if (resumed) {
        // What the log holds decides: the last evaluation may have come after the checkpoint.
        STUDIO_TRY(const project::Metrics logged, project::readMetrics(run_folder));
        if (!logged.evaluations.empty()) writer.last_evaluation_ = logged.evaluations.back().step;
    } else {
        STUDIO_CHECK(writer.samples(0));
    }
    return writer;
}

Result<void> RunWriter::onStep(const engine::api::StepMetrics& m) noexcept {
    return guarded([&]() -> Result<void> {
        project::StepRecord record{
            m.step, m.epoch, m.loss, m.learning_rate, m.grad_norm, m.tokens, m.supervised_tokens, m.seconds, m.skipped};
        const dataset::Examples& examples = *ready_.setup.data.examples;
        for (const dataset::SampleId id : m.suspects)
            record.suspects.push_back(
                {examples.treeId(static_cast<int>(id)), examples.lastMessageId(static_cast<int>(id))});
        if (!m.skipped) suspects_.clear();
        for (const project::Conversation& one : record.suspects)
            if (std::find(suspects_.begin(), suspects_.end(), one) == suspects_.end()) suspects_.push_back(one);
        STUDIO_CHECK(log_.step(record));
        listener_.onStep(m, ready_.setup.plan.total_steps);
        return {};
    });
}

Result<void> RunWriter::onEvaluation(std::int64_t step, double loss) noexcept {
    return guarded([&]() -> Result<void> {
        STUDIO_CHECK(log_.evaluation({step, loss}));
        last_evaluation_ = step;
        listener_.onEvaluation(step, loss);
        if (step > 0) STUDIO_CHECK(samples(step));
        return {};
    });
}

Result<void> RunWriter::evaluationUnlessLogged(std::int64_t step, double loss) {
    if (last_evaluation_ == step) return {};
    STUDIO_CHECK(log_.evaluation({step, loss}));
    last_evaluation_ = step;
    listener_.onEvaluation(step, loss);
    if (step > 0) STUDIO_CHECK(samples(step));
    return log_.sync();
}

// Between two steps, so that a sample is one of the adapter of exactly this step, however often the run is resumed.
Result<void> RunWriter::samples(std::int64_t step) {
    const config::TrainingConfig& t = ready_.setup.record.recipe.training;
    if (t.sample_prompts.empty()) return {};
    STUDIO_TRY(const auto chat_template, text::chatTemplate(ready_.setup.data.provenance.chat_template));
    std::vector<Question> questions;
    for (const std::string& prompt : t.sample_prompts) {
        questions.push_back({{{text::Role::Prompter, prompt}}, {}});
        questions.back().options.temperature = 0;
        questions.back().options.max_new_tokens = static_cast<int>(t.sample_max_new_tokens);
    }
    STUDIO_TRY(const auto all,
               answers({*ready_.model, *ready_.setup.data.tokenizer, *chat_template}, questions, {}, {}));
    for (std::size_t i = 0; i < all.size(); ++i) {
        STUDIO_CHECK(log_.sample({step, t.sample_prompts[i], all[i].text, endText(all[i])}));
        listener_.onSample(step, t.sample_prompts[i], all[i].text, endText(all[i]));
    }
    return {};
}

Result<void> RunWriter::save(const engine::api::Checkpoint& checkpoint) noexcept {
    return guarded([&]() -> Result<void> {
        STUDIO_CHECK(log_.sync());
        config::AdapterConfig adapter;
        adapter.lora = ready_.adapter;
        adapter.base_model_name_or_path = ready_.setup.record.base_folder.string();
        project::CheckpointContent content;
        content.step = checkpoint.state.step;
        content.adapter = checkpoint.adapter;
        content.optimizer = checkpoint.optimizer;
        content.adapter_config = config::formatAdapterConfig(adapter);
        content.trainer_state = formatTrainerState(checkpoint.state);
        STUDIO_CHECK(project::writeCheckpoint(
            *ops_, folder_, content,
            {ready_.setup.record.recipe.training.save_total_limit, checkpoint.state.best_step}));
        listener_.onCheckpoint(checkpoint.state.step);
        return {};
    });
}

bool RunWriter::onUpdatesSkipped(Error& error) noexcept {
    try {
        constexpr std::size_t kNamed = 3;
        std::string named, trees;
        for (std::size_t i = 0; i < std::min(kNamed, suspects_.size()); ++i) {
            named += fmt::format("{}message {} of tree {}", i == 0 ? "" : ", ", suspects_[i].last_message,
                                 suspects_[i].tree);
            if (trees.find(suspects_[i].tree) == std::string::npos)
                trees += (trees.empty() ? "" : ",") + suspects_[i].tree;
        }
        if (suspects_.size() > kNamed)
            named += fmt::format(" and {} more, listed in metrics.jsonl", suspects_.size() - kNamed);
        if (!named.empty()) {
            error.message += fmt::format(" The conversations they were made of: {}.", named);
            error.hint += fmt::format(" If a conversation is the cause, leave it out with the filter -tree:{}.", trees);
        }
        return listener_.onUpdatesSkipped(error, suspects_);
    } catch (const std::exception&) {
        return false;
    }
}

bool RunWriter::retry(const Error& error) noexcept {
    try {
        return listener_.onSaveFailed(error);
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace studio::jobs
