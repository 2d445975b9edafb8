// What the recipe will do, kept up to date beside the form: the preview, the measurement, and what to say about both.
#pragma once

#include <QObject>
#include <QPointer>
#include <QTimer>
#include <memory>
#include <optional>

#include "jobs/preview.h"
#include "ui/session/session.h"

namespace studio::ui {

// Something worth a look, with a cure where there is one.
struct Finding {
    enum class Kind { Bad, Careful, Good };
    Kind kind = Kind::Careful;
    QString sentence, hint;
    QString key;                       // of the field it is about; empty: none
    QString cure;                      // words of the button; empty: none
    std::string cure_key, cure_value;  // what it sets
    std::optional<PageId> cure_page;   // or where it leads
};

class Consequences : public QObject {
    Q_OBJECT
  public:
    Consequences(Session& session, QObject* parent = nullptr);
    ~Consequences() override;

    // Nothing is computed before the page was seen.
    void wake();

    const std::optional<jobs::Preview>& preview() const { return preview_; }
    bool stale() const { return stale_; }  // the preview is of an earlier recipe; the new one is on its way
    const jobs::PreviewRun* run() const { return preview_ && preview_->run ? &*preview_->run : nullptr; }
    const jobs::PreviewModel* model() const { return preview_ && preview_->model ? &*preview_->model : nullptr; }

    // Of the GPU that the recipe names; null: none computes, or the plan is not made yet.
    const engine::api::MemoryUse* plannedMemory() const {
        return preview_ && preview_->memory ? &*preview_->memory : nullptr;
    }
    // Why there is no plan, where a card was wanted; empty: nothing to say.
    QString noPlan() const;

    // Of this recipe's micro-batches; nothing where it was not measured, or something changed since.
    const jobs::Measurement* measurement() const;
    bool measuring() const { return measuring_; }
    QString measurePhase() const { return phase_; }
    const std::optional<Error>& measureError() const { return measure_error_; }
    void measure();
    void take(jobs::Measurement measurement);  // made elsewhere
    void cancelMeasure();
    std::optional<double> seconds() const;   // of the whole run
    void take(engine::api::MemoryUse plan);  // made elsewhere

    std::vector<Finding> findings() const;
    quint64 freeBytes() const { return free_bytes_; }  // where the runs are written; 0: not known

  Q_SIGNALS:
    void changed();
    void measured();  // a measurement has ended, well or not

  private:
    void later();
    void compute();
    void measureIfCheap();
    void openForPlan();

    Session& session_;
    TaskThread thread_{5};  // of its own, so that saving the recipe never waits behind reading the data
    std::shared_ptr<jobs::PreviewCache> cache_;  // used on the thread
    engine::api::Engine* planner_ = nullptr;     // once it is open
    QPointer<Task> task_, measure_task_;
    QTimer timer_;
    std::optional<jobs::Preview> preview_;
    std::optional<jobs::Measurement> measurement_;
    std::optional<Error> measure_error_;
    QString phase_;
    quint64 free_bytes_ = 0;
    bool awake_ = false, stale_ = false, measuring_ = false, measured_once_ = false, opening_ = false;
};

}  // namespace studio::ui
