#include "ui/runs/run_data.h"

#include <QCoreApplication>
#include <cmath>
#include <fstream>
#include <set>

#include "io/file.h"
#include "jobs/losses.h"
#include "project/checkpoint.h"
#include "ui/look/format.h"
#include "ui/widgets/safe_text.h"
#include "ui/widgets/spark_line.h"

namespace studio::ui {
namespace {

namespace fs = std::filesystem;

QString tr(const char* source) {
    return QCoreApplication::translate("RunData", source);
}

struct SideLosses {
    double loss = 0;
    jobs::TreeLosses trees;
};

std::optional<SideLosses> readLosses(const fs::path& file) {
    const auto json = io::readJson(file);
    if (!json || !json->is_object() || !json->contains("loss") || !(*json)["loss"].is_number()) return {};
    SideLosses side{(*json)["loss"].get<double>(), {}};
    if (json->contains("trees")) {
        if (auto trees = jobs::treesFromJson((*json)["trees"])) side.trees = std::move(*trees);
    }
    return side;
}

double ageOf(const fs::path& path) {
    std::error_code ec;
    const auto time = fs::last_write_time(path, ec);
    return ec ? 0 : std::chrono::duration<double>(fs::file_time_type::clock::now() - time).count();
}

QString modules(const config::ModuleSelection& selection) {
    if (const auto* text_value = std::get_if<std::string>(&selection)) return text(*text_value);
    if (const auto* list = std::get_if<std::vector<std::string>>(&selection)) {
        QStringList names;
        for (const std::string& name : *list) {
            const QString full = text(name);
            names << (full.endsWith(QLatin1String("_proj")) ? full.chopped(5) : full);
        }
        return names.join(QStringLiteral(", "));
    }
    return tr("q, v, fc1, fc2");
}

void fill(RunBrief& brief) {
    if (const auto record = jobs::runRecord(brief.info.details)) {
        brief.settings = shortSettings(record->recipe);
        if (brief.total == 0) brief.total = record->total_steps;
    }
    const auto metrics = project::readMetrics(brief.folder);
    if (!metrics) return;
    std::vector<double> losses;
    double seconds = 0, tokens = 0, sum = 0, weight = 0;
    for (const project::StepRecord& step : metrics->steps) {
        losses.push_back(step.loss);
        seconds += step.seconds;
        tokens += static_cast<double>(step.tokens);
        if (!std::isfinite(step.loss)) continue;
        sum += step.loss * static_cast<double>(step.supervised_tokens);
        weight += static_cast<double>(step.supervised_tokens);
    }
    brief.spark = sparkValues(losses);
    brief.seconds = seconds;
    if (seconds > 0) brief.tokens_per_s = tokens / seconds;
    if (weight > 0) brief.train_loss = sum / weight;
    if (!metrics->steps.empty()) brief.steps = metrics->steps.back().step;
    for (const project::EvalRecord& record : metrics->evaluations) {
        if (!std::isfinite(record.eval_loss)) continue;
        brief.eval_loss = record.eval_loss;
        brief.best_loss = std::min(brief.best_loss.value_or(record.eval_loss), record.eval_loss);
    }
    brief.checkpoints = static_cast<int>(project::listCheckpoints(brief.folder).size());
}

// Settings in which the runs are not all alike; of a single run the rank and the rate.
void tellDifferences(std::vector<RunBrief>& briefs) {
    std::map<QString, std::set<QString>> values;
    for (const RunBrief& brief : briefs) {
        for (const auto& [key, value] : brief.settings) values[key].insert(value);
    }
    for (RunBrief& brief : briefs) {
        QStringList parts, usual;
        for (const auto& [key, value] : brief.settings) {
            const QString part = key.isEmpty() ? value : QStringLiteral("%1 %2").arg(key, value);
            if (values[key].size() > 1) parts << part;
            if (usual.size() < 2) usual << part;
        }
        brief.differs = (parts.isEmpty() ? usual : parts.mid(0, 3)).join(QStringLiteral(" · "));
    }
}

}  // namespace

QString rateText(double rate) {
    if (!std::isfinite(rate) || rate == 0 || std::abs(rate) >= 0.1) return significant(rate, 3);
    const int exponent = static_cast<int>(std::floor(std::log10(std::abs(rate)) + 1e-9));
    return QStringLiteral("%1e%2").arg(significant(rate / std::pow(10, exponent), 3), QString::number(exponent));
}

std::vector<std::pair<QString, QString>> shortSettings(const config::Recipe& recipe) {
    const config::TrainingConfig& t = recipe.training;
    std::vector<std::pair<QString, QString>> all{
        {QStringLiteral("r"), number(static_cast<qint64>(recipe.qlora.r))},
        {QStringLiteral("lr"), rateText(t.learning_rate)},
        {QString(), modules(recipe.qlora.target_modules)},
        {tr("paths"), text(t.paths)},
        {tr("filter"), t.filter.empty() ? tr("none") : shownText(text(t.filter), false, 60)},
        {tr("length"), t.max_seq_length ? number(static_cast<qint64>(*t.max_seq_length)) : tr("full")},
        {tr("batch"), number(static_cast<qint64>(t.per_device_train_batch_size * t.gradient_accumulation_steps))},
        {tr("schedule"), text(t.lr_scheduler_type)},
        {tr("seed"), number(static_cast<qint64>(t.seed))},
    };
    if (t.max_steps > 0)
        all.emplace_back(tr("steps"), number(static_cast<qint64>(t.max_steps)));
    else
        all.emplace_back(tr("epochs"), significant(t.num_train_epochs, 4));
    return all;
}

double RunData::seconds() const {
    double sum = 0;
    for (const project::StepRecord& step : metrics.steps) sum += step.seconds;
    return sum;
}

qint64 RunData::skippedUpdates() const {
    return std::count_if(metrics.steps.begin(), metrics.steps.end(),
                         [](const project::StepRecord& step) { return step.skipped; });
}

QStringList RunData::suspectTrees() const {
    std::vector<project::Conversation> suspects;
    for (auto step = metrics.steps.rbegin(); step != metrics.steps.rend() && step->skipped; ++step)
        suspects.insert(suspects.end(), step->suspects.begin(), step->suspects.end());
    return treesOf(suspects);
}

std::optional<qint64> RunData::bestCheckpoint() const {
    for (const CheckpointRow& row : checkpoints) {
        if (row.best) return row.step;
    }
    return checkpoints.empty() ? std::nullopt : std::optional(checkpoints.front().step);
}

std::vector<CheckpointRow> readCheckpoints(const fs::path& folder, const project::Metrics& metrics) {
    std::vector<CheckpointRow> rows;
    for (const project::FoundCheckpoint& found : project::listCheckpoints(folder)) {
        CheckpointRow row{found.step, found.folder, {}, false, ageOf(found.folder / "manifest.json")};
        for (const project::EvalRecord& record : metrics.evaluations) {
            if (record.step == found.step && std::isfinite(record.eval_loss)) row.loss = record.eval_loss;
        }
        rows.insert(rows.begin(), row);
    }
    const auto best = std::min_element(rows.begin(), rows.end(), [](const CheckpointRow& a, const CheckpointRow& b) {
        return a.loss.value_or(INFINITY) < b.loss.value_or(INFINITY);
    });
    if (best != rows.end() && best->loss) best->best = true;
    return rows;
}

Result<RunData> readRunData(const fs::path& folder) {
    RunData data;
    data.folder = folder;
    STUDIO_TRY(data.info, project::readRun(folder));
    if (auto record = jobs::runRecord(data.info.details))
        data.record = std::move(*record);
    else
        data.record_error = text(record.error().text());
    STUDIO_TRY(data.metrics, project::readMetrics(folder));
    STUDIO_TRY(data.samples, project::readSamples(folder));
    data.checkpoints = readCheckpoints(folder, data.metrics);
    const auto before = readLosses(folder / "evaluation" / "before.json");
    const auto after = readLosses(folder / "evaluation" / "after.json");
    if (before) data.loss_before = before->loss;
    if (after) data.loss_after = after->loss;
    if (before && after && !before->trees.empty())
        data.difference = jobs::pairedDifference(before->trees, after->trees);
    return data;
}

std::vector<RunBrief> readBriefs(const std::vector<RunEntry>& entries, const std::vector<RunBrief>& known) {
    std::vector<RunBrief> briefs;
    for (const RunEntry& entry : entries) {
        const auto old = std::find_if(known.begin(), known.end(), [&](const RunBrief& b) {
            return b.folder == entry.folder && b.info.state == entry.info.state &&
                   b.info.started == entry.info.started && !project::isAtWork(entry.info.state);
        });
        if (old != known.end()) {
            briefs.push_back(*old);
            continue;
        }
        RunBrief brief;
        brief.folder = entry.folder;
        brief.info = entry.info;
        brief.steps = entry.steps;
        brief.total = entry.total;
        brief.eval_loss = entry.eval_loss;
        brief.train_loss = entry.train_loss;
        fill(brief);
        briefs.push_back(std::move(brief));
    }
    tellDifferences(briefs);
    return briefs;
}

}  // namespace studio::ui
