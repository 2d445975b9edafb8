// What the Evaluate page shows, without widgets: the kept results, and the measurement at work.
#pragma once

#include <QObject>
#include <QPointer>

#include "jobs/evaluate_run.h"
#include "ui/worker/task_thread.h"

namespace studio::ui {

class Session;

class EvaluationsPresenter : public QObject {
    Q_OBJECT
  public:
    struct Kept {
        std::filesystem::path file;
        jobs::EvaluationRecord record;
        bool run_there = false;  // its folder still exists
    };
    struct Checkpoint {
        std::filesystem::path folder;
        qint64 step = 0;
        bool best = false;
        std::optional<double> loss;
    };
    // What can be chosen of a run, and what would be measured.
    struct Offer {
        std::filesystem::path run;
        std::vector<Checkpoint> checkpoints;  // newest first
        std::filesystem::path checkpoint;     // what the plan is of; empty: the base alone
        std::optional<jobs::EvaluationPlan> plan;
        std::optional<Error> problem;  // why nothing can be measured
    };
    struct Phase {
        QString name;
        quint64 done = 0, total = 0;
        QString unit;
    };

    explicit EvaluationsPresenter(Session& session, QObject* parent = nullptr);
    ~EvaluationsPresenter() override;

    void start();
    bool listed() const { return listed_; }
    const std::vector<Kept>& kept() const { return kept_; }
    const QStringList& unreadable() const { return unreadable_; }
    void select(const std::filesystem::path& file);
    const Kept* selected() const;

    // Asks what the run offers; the answer comes with offered(). Without a checkpoint: the run's best, else the newest.
    void ask(const jobs::EvaluateRunRequest& request);
    const Offer& offer() const { return offer_; }

    void run(const jobs::EvaluateRunRequest& request, const QString& title);
    void cancel();
    bool running() const { return task_; }
    bool waiting() const { return phases_.empty(); }  // the engine is busy with something else
    const QString& runningTitle() const { return title_; }
    const std::vector<Phase>& phases() const { return phases_; }
    void progress(const studio::Progress& value);  // open to tests

  Q_SIGNALS:
    void listChanged();
    void selectionChanged();
    void offered();
    void runningChanged();  // began, went on, ended
    void measured();

  private:
    void tellBoard();
    void finished(Result<std::filesystem::path> file);

    Session& session_;
    std::vector<Kept> kept_;
    QStringList unreadable_;
    bool listed_ = false;
    std::filesystem::path selected_;
    Offer offer_;
    QPointer<Task> asking_, task_;
    QString title_;
    std::vector<Phase> phases_;
};

}  // namespace studio::ui
