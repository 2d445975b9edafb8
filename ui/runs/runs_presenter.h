// What the Runs page shows, without widgets: the list, the chosen run, and the one at work as it goes.
#pragma once

#include <QJsonObject>
#include <QObject>

#include "ui/runs/run_data.h"

namespace studio::ui {

class Session;

class RunsPresenter : public QObject {
    Q_OBJECT
  public:
    explicit RunsPresenter(Session& session, QObject* parent = nullptr);

    const std::vector<RunBrief>& runs() const { return briefs_; }
    bool listed() const { return listed_; }  // the list was read once
    int indexOf(const std::filesystem::path& folder) const;

    void select(const std::filesystem::path& folder);
    const std::filesystem::path& selected() const { return selected_; }
    const RunData* data() const { return data_ ? &*data_ : nullptr; }
    const QString& readError() const { return read_error_; }
    // The run at work; of the chosen one only.
    const std::optional<LiveRun>& live() const { return live_; }
    const LiveRun* liveSelected() const;
    const QStringList& notices() const { return notices_; }  // of the live run, newest last

    void start();   // reads the list
    void reload();  // of the chosen run

    // What the run service tells; open to tests, which feed a run of their own.
    void setEntries(const std::vector<RunEntry>& entries);
    void setLive(const std::optional<LiveRun>& live);
    void appendSteps(const std::vector<project::StepRecord>& records);
    void appendEvaluation(const project::EvalRecord& record);
    void appendSample(const project::SampleRecord& record);
    void appendNotice(const QString& sentence);

  Q_SIGNALS:
    void runsChanged();
    void selectionChanged();
    void dataChanged();  // all of the chosen run is new
    void stepsAppended(int first);
    void evaluationAppended();
    void sampleAppended();
    void checkpointsChanged();
    void liveChanged();

  private:
    void readList();
    void catchUp();
    void addLive();
    bool feeds() const;

    Session& session_;
    std::vector<RunEntry> entries_;
    std::vector<RunBrief> briefs_;
    bool listed_ = false, reading_list_ = false, read_again_ = false;
    std::filesystem::path selected_;
    std::optional<RunData> data_;
    QString read_error_;
    QPointer<Task> reading_;
    std::optional<LiveRun> live_;
    QStringList notices_;
    // Told while the folder was being read: taken in afterwards where it holds them not yet.
    std::vector<project::StepRecord> waiting_steps_;
    std::vector<project::EvalRecord> waiting_evaluations_;
    std::vector<project::SampleRecord> waiting_samples_;
};

}  // namespace studio::ui
