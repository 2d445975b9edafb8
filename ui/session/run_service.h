// The runs of the open project: the one at work, and those on the disk.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <deque>
#include <optional>

#include "engine/api/mailbox.h"
#include "jobs/train.h"
#include "project/project.h"
#include "project/run_folder.h"
#include "project/run_log.h"
#include "ui/worker/engine_thread.h"

class QTimer;

namespace studio::ui {

class RunFeed;

// What is known of the run at work. `state` follows what the person asked at once ("stopping"), the file follows.
struct LiveRun {
    QString name, folder;
    project::RunState state = project::RunState::Queued;
    QString phase;                               // while preparing: "Loading weights"
    quint64 done = 0, total_units = 0;           // of the phase
    qint64 step = 0, total = 0, first_step = 0;  // first_step: where this process began
    double epoch = 0;
    double elapsed = 0;                  // seconds of training since this process began it
    std::optional<double> seconds_left;  // once measured
    std::optional<double> tokens_per_s;
    std::optional<double> loss, eval_loss;
    qint64 checkpoint_step = -1;
    QElapsedTimer since_checkpoint;
    QString device;
    std::string card;      // UUID of the GPU that computes; empty: the processor does
    bool pausing = false;  // asked for, the step is being finished
    QString save_error;    // the disk is full, say: training waits for an answer
    // Why it paused by itself (updates skipped in a row), and what can be done.
    QString trouble, trouble_hint;
    QStringList trouble_trees;  // of the conversations that may be the cause
};

// Ids of their trees, each once.
QStringList treesOf(const std::vector<project::Conversation>& conversations);

struct RunEntry {
    std::filesystem::path folder;
    project::RunInfo info;
    std::optional<double> eval_loss, train_loss;
    qint64 steps = 0, total = 0;
};

// How the active run ended: one of the two is set.
struct RunEnd {
    QString folder;
    std::optional<jobs::TrainSummary> summary;
    std::optional<Error> error;  // Cancelled: stopped at once, as asked
};

// A field of a run's recipe and its new value, as in the file.
struct RunChange {
    std::string key, value;
    bool operator==(const RunChange&) const = default;
};

class RunService : public QObject {
    Q_OBJECT
  public:
    RunService(EngineThread& engine, TaskThread& files, std::shared_ptr<Logger> log, QObject* parent = nullptr);
    ~RunService() override;

    void openProject(const project::ProjectPaths& paths);
    void closeProject();

    // A new run from a frozen copy of `recipe`, in a folder of its own below runs/. Refused while one is active.
    Result<void> start(const config::Recipe& recipe, const QString& name, const std::filesystem::path& config_file);
    // Paused, stopped, failed and interrupted runs go on from their newest checkpoint; `change`: with a setting that
    // changes none of their numbers.
    Result<void> resume(const std::filesystem::path& run_folder, const std::optional<RunChange>& change = {});
    // A new run from that one's recipe with `change`.
    Result<void> startAgain(const std::filesystem::path& run_folder, const RunChange& change,
                            const std::filesystem::path& config_file);
    bool active() const { return live_.has_value(); }
    const std::optional<LiveRun>& live() const { return live_; }

    void pause();
    void unpause();
    void stopAfterStep();
    void stopNow();  // discards the running step; resumes from the last checkpoint
    // Answer to a checkpoint that could not be written.
    void retrySave();
    void giveUpSaving();

    // Work on the live adapter between micro-batches (chat, samples). Only while steps are made or it is paused: false
    // otherwise, and the task was not taken. When the run ends first, `abandoned` of the task is not called: watch
    // ended().
    bool post(std::shared_ptr<engine::api::LiveTask> task);
    bool stepping() const { return stepping_; }
    // What the live run's data was prepared with; null unless stepping.
    std::shared_ptr<const text::Tokenizer> tokenizer() const { return tokenizer_; }
    const std::string& templateName() const { return template_name_; }

    bool listed() const { return listed_; }                            // entries() were read
    const std::vector<RunEntry>& entries() const { return entries_; }  // newest first
    const QStringList& unreadable() const { return unreadable_; }      // folders of runs without a sound run.json
    void refresh();                                                    // reads the folder again
    // Into the project's trash (PROJECT/trash). Refused for the run at work.
    Result<void> remove(const std::filesystem::path& run_folder);
    QString nameForNewRun(const QString& preset) const;  // "demo-3"

  Q_SIGNALS:
    void stateChanged();    // live() has changed, at most 30 a second
    void entriesChanged();  // entries() has
    // Of the live run, coalesced: records in order.
    void steps(const std::vector<studio::project::StepRecord>& records);
    void evaluation(const studio::project::EvalRecord& record);
    void sample(const studio::project::SampleRecord& record);
    void notice(const QString& sentence);
    void ended(const studio::ui::RunEnd& end);

  private:
    struct Rate {
        double seconds, tokens;
    };
    Result<void> launch(jobs::TrainRequest request, const QString& name);
    void finish(Result<jobs::TrainSummary> result);
    void look();
    void measureRate();

    EngineThread& engine_;
    TaskThread& files_;
    std::shared_ptr<Logger> log_;
    project::ProjectPaths paths_;
    bool open_ = false, listed_ = false;
    std::optional<LiveRun> live_;
    std::shared_ptr<engine::api::Mailbox> mailbox_;
    std::shared_ptr<RunFeed> feed_;
    QTimer* look_;  // while a run is active
    QPointer<Task> task_;
    std::deque<Rate> recent_;  // of the last steps
    bool stepping_ = false;
    std::shared_ptr<const text::Tokenizer> tokenizer_;
    std::string template_name_;
    std::vector<RunEntry> entries_;
    QStringList unreadable_;
};

}  // namespace studio::ui
