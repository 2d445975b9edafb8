// What is worth a look before a run, most pressing first.
#include <algorithm>
#include <cmath>

#include "config/scalar.h"
#include "ui/look/format.h"
#include "ui/recipe/consequences.h"

namespace studio::ui {
namespace {

QString tr(const char* source, int n = -1) {
    return QCoreApplication::translate("Findings", source, nullptr, n);
}

constexpr double kMuchCut = 0.05;     // of the tokens
constexpr double kMostAnswers = 0.9;  // that end on their EOS

// The cure of what checkRecipe says of a field, where one value is the obvious one.
void addCure(Finding& finding, const config::Recipe& recipe) {
    const auto offer = [&](const QString& words, std::string key, std::string value) {
        finding.cure = words;
        finding.cure_key = std::move(key);
        finding.cure_value = std::move(value);
    };
    const config::TrainingConfig& t = recipe.training;
    if (finding.key == QLatin1String("warmup_ratio") || finding.key == QLatin1String("warmup_steps")) {
        if (t.lr_scheduler_type == "constant")
            offer(tr("Use Constant with Warm-up"), "lr_scheduler_type", "constant_with_warmup");
    } else if (finding.key == QLatin1String("lr_scheduler_kwargs")) {
        offer(tr("Clear Schedule Settings"), "lr_scheduler_kwargs", "{}");
    } else if (finding.key == QLatin1String("group_by_length")) {
        offer(tr("Switch Off"), "group_by_length", "false");
    } else if (finding.key == QLatin1String("eval_strategy")) {
        offer(tr("Hold Out 5 %"), "validation_fraction", "0.05");
    } else if (finding.key == QLatin1String("bf16") || finding.key == QLatin1String("fp16")) {
        offer(tr("Switch Off"), utf8(finding.key), "false");
    } else if (finding.key == QLatin1String("optim") && t.optim.starts_with("paged_")) {
        offer(tr("Use AdamW"), "optim", "adamw_torch");
    }
}

void addIssues(std::vector<Finding>& out, const RecipeDocument& document) {
    for (const config::FieldIssue& issue : document.issues()) {
        Finding finding;
        finding.kind = issue.severity == config::Severity::Error ? Finding::Kind::Bad : Finding::Kind::Careful;
        finding.sentence = text(issue.message);
        finding.hint = text(issue.hint);
        finding.key = text(issue.key);
        addCure(finding, document.recipe());
        out.push_back(std::move(finding));
    }
}

void addLength(std::vector<Finding>& out, const jobs::PreviewRun& run, const jobs::PreviewModel& model,
               const config::TrainingConfig& t) {
    const auto whole = static_cast<double>(run.tokens + run.held_out_tokens + run.cut_tokens);
    const double share = whole > 0 ? static_cast<double>(run.cut_tokens) / whole : 0;
    if (share < kMuchCut) return;
    Finding finding;
    finding.sentence = tr("%1 of the tokens lie beyond the maximum length and are cut.").arg(percent(share, 0));
    finding.hint = tr("Answers that are cut never show where they end.");
    finding.key = QStringLiteral("max_seq_length");
    const std::int64_t now = t.max_seq_length.value_or(model.context);
    const std::int64_t longer = std::min<std::int64_t>(now * 2, model.context);
    if (longer > now) {
        finding.cure = tr("Use %1 Tokens").arg(number(static_cast<qint64>(longer)));
        finding.cure_key = "max_seq_length";
        finding.cure_value = std::to_string(longer);
    }
    out.push_back(std::move(finding));
}

void addTime(std::vector<Finding>& out, const jobs::PreviewRun& run, const jobs::Measurement& measurement,
             const config::TrainingConfig& t) {
    const double seconds = jobs::estimatedSeconds(run, measurement);
    if (seconds > jobs::kLongRun) {
        const std::int64_t steps = jobs::stepsWithin(run, measurement, jobs::kLongRun);
        Finding finding;
        finding.sentence = tr("This run takes about %1.").arg(duration(seconds));
        finding.hint = tr("%1 of its %2 steps fit into 12 hours.")
                           .arg(number(static_cast<qint64>(steps)), number(static_cast<qint64>(run.steps)));
        finding.key = QStringLiteral("max_steps");
        finding.cure = tr("Train %1 Steps").arg(number(static_cast<qint64>(steps)));
        finding.cure_key = "max_steps";
        finding.cure_value = std::to_string(steps);
        out.push_back(std::move(finding));
    }
    if (seconds > 3600 && t.save_strategy == "no") {
        Finding finding;
        finding.sentence = tr("Nothing is saved before the end.");
        finding.hint = tr("A run of more than an hour should have checkpoints to resume from.");
        finding.key = QStringLiteral("save_strategy");
        finding.cure = tr("Save Every Epoch");
        finding.cure_key = "save_strategy";
        finding.cure_value = "epoch";
        out.push_back(std::move(finding));
    }
}

void addRun(std::vector<Finding>& out, const jobs::PreviewRun& run, const jobs::PreviewModel& model,
            const config::Recipe& recipe, quint64 free_bytes) {
    const config::TrainingConfig& t = recipe.training;
    if (run.warmup_steps >= run.steps && run.steps > 1)
        out.push_back({Finding::Kind::Careful, tr("The warm-up takes the whole run: the full rate is never reached."),
                       tr("Warm up for fewer steps."), QStringLiteral("warmup_ratio"), tr("Use 3 %"), "warmup_ratio",
                       "0.03"});
    addLength(out, run, model, t);
    if (run.held_out_examples == 0 && t.eval_strategy == "no")
        out.push_back({Finding::Kind::Careful,
                       tr("Nothing is held out, so overfitting stays unseen."),
                       {},
                       QStringLiteral("validation_fraction"),
                       tr("Hold Out 5 %"),
                       "validation_fraction",
                       "0.05"});
    const quint64 needed = run.checkpoint_bytes * static_cast<quint64>(run.checkpoints);
    if (free_bytes > 0 && needed > free_bytes)
        out.push_back({Finding::Kind::Bad,
                       tr("The checkpoints need %1, and %2 are free.").arg(bytes(needed), bytes(free_bytes)),
                       tr("Keep fewer of them, or make room."), QStringLiteral("save_total_limit"), tr("Keep Two"),
                       "save_total_limit", "2"});
}

void addMemory(std::vector<Finding>& out, const engine::api::MemoryUse& plan, const config::TrainingConfig& t) {
    if (plan.free_bytes == 0 || plan.peak_bytes <= plan.free_bytes) return;
    Finding finding;
    finding.sentence = tr("The card's memory is not enough: %1 GiB at the peak, and %2 are free.")
                           .arg(gibibytes(plan.peak_bytes), gibibytes(plan.free_bytes));
    finding.hint = tr("Lower the batch size or the maximum length, or close other programs that use the card.");
    finding.key = QStringLiteral("per_device_train_batch_size");
    if (t.per_device_train_batch_size > 1) {
        const std::int64_t half = t.per_device_train_batch_size / 2;
        finding.cure = tr("Use a Batch of %1").arg(number(static_cast<qint64>(half)));
        finding.cure_key = "per_device_train_batch_size";
        finding.cure_value = std::to_string(half);
    }
    out.push_back(std::move(finding));
}

void addGood(std::vector<Finding>& out, const jobs::PreviewRun& run, const jobs::PreviewModel& model) {
    const auto good = [&](const QString& sentence) {
        out.push_back({Finding::Kind::Good, sentence, {}, {}, {}, {}, {}});
    };
    if (run.answers > 0 && run.answers_with_eos == run.answers) {
        good(tr("EOS is supervised at the end of every answer."));
    } else if (static_cast<double>(run.answers_with_eos) > kMostAnswers * static_cast<double>(run.answers)) {
        good(tr("EOS is supervised at the end of %1 of %2 answers; the others are cut.")
                 .arg(number(static_cast<qint64>(run.answers_with_eos)), number(static_cast<qint64>(run.answers))));
    }
    int adapted = 0;
    for (const jobs::ModuleCount& module : model.modules) adapted += module.modules;
    if (adapted > 0)
        good(QCoreApplication::translate("Findings", "Every target name matches; %n linear(s) are adapted.", nullptr,
                                         adapted));
    if (run.held_out_conversations > 0) good(tr("Held-out conversations are whole trees; none of them is trained on."));
    if (run.cut_tokens == 0) good(tr("No conversation is longer than the maximum length."));
}

}  // namespace

std::vector<Finding> Consequences::findings() const {
    std::vector<Finding> out;
    const auto missing = [&](const Error& error, const char* key, const QString& cure, PageId page) {
        Finding finding;
        finding.kind = Finding::Kind::Bad;
        finding.sentence = text(error.message);
        finding.hint = text(error.hint);
        finding.key = QLatin1String(key);
        if (error.code == ErrorCode::NotFound) {
            finding.cure = cure;
            finding.cure_page = page;
        }
        out.push_back(std::move(finding));
    };
    if (preview_ && preview_->model_error)
        missing(*preview_->model_error, "model_name_or_path", tr("Open Models"), PageId::Models);
    if (preview_ && preview_->run_error)
        missing(*preview_->run_error, preview_->run_error->code == ErrorCode::NotFound ? "data_path" : "filter",
                tr("Open Data"), PageId::Data);
    if (measure_error_)
        out.push_back({Finding::Kind::Bad, text(measure_error_->message), text(measure_error_->hint), {}, {}, {}, {}});
    if (run() && model()) {
        if (const jobs::Measurement* measured_now = measurement())
            addTime(out, *run(), *measured_now, session_.recipe().recipe().training);
    }
    if (const engine::api::MemoryUse* plan = plannedMemory())
        addMemory(out, *plan, session_.recipe().recipe().training);
    addIssues(out, session_.recipe());
    if (run() && model()) {
        addRun(out, *run(), *model(), session_.recipe().recipe(), free_bytes_);
        addGood(out, *run(), *model());
    }
    std::stable_sort(out.begin(), out.end(), [](const Finding& a, const Finding& b) { return a.kind < b.kind; });
    return out;
}

}  // namespace studio::ui
