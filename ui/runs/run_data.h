// What a run's folder tells, read on the files' thread.
#pragma once

#include <map>
#include <optional>

#include "jobs/run_record.h"
#include "jobs/statistics.h"
#include "project/run_folder.h"
#include "project/run_log.h"
#include "ui/session/run_service.h"

namespace studio::ui {

struct CheckpointRow {
    qint64 step = 0;
    std::filesystem::path folder;
    std::optional<double> loss;  // validation, at this step
    bool best = false;
    double age = 0;  // seconds, when it was read
};

struct RunData {
    std::filesystem::path folder;
    project::RunInfo info;
    std::optional<jobs::RunRecord> record;
    QString record_error;  // why there is none
    project::Metrics metrics;
    std::vector<project::SampleRecord> samples;
    std::vector<CheckpointRow> checkpoints;         // newest first
    std::optional<double> loss_before, loss_after;  // of the held-out conversations
    std::optional<jobs::Difference> difference;     // after − before
    double seconds() const;                         // of training
    std::optional<qint64> bestCheckpoint() const;   // the step with the lowest validation loss, else the newest
    qint64 skippedUpdates() const;                  // loss or gradient was not finite
    QStringList suspectTrees() const;               // of the skipped updates that the run ends with; each once
    qint64 lastStep() const { return metrics.steps.empty() ? 0 : metrics.steps.back().step; }
};
Result<RunData> readRunData(const std::filesystem::path& folder);
std::vector<CheckpointRow> readCheckpoints(const std::filesystem::path& folder, const project::Metrics& metrics);

// A run as a row of a list.
struct RunBrief {
    std::filesystem::path folder;
    project::RunInfo info;
    std::optional<double> eval_loss, best_loss, train_loss, tokens_per_s;
    double seconds = 0;
    qint64 steps = 0, total = 0;
    int checkpoints = 0;
    std::vector<float> spark;
    std::vector<std::pair<QString, QString>> settings;  // "r", "16"
    QString differs;                                    // "r 64 · lr 1e-4"
};
// `known`: briefs from before; those of runs that have not changed since are taken over.
std::vector<RunBrief> readBriefs(const std::vector<RunEntry>& entries, const std::vector<RunBrief>& known);

// "2e-4": short, as people write rates.
QString rateText(double rate);

// The few settings by which people tell runs apart, short.
std::vector<std::pair<QString, QString>> shortSettings(const config::Recipe& recipe);

}  // namespace studio::ui
