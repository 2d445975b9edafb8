// Loss, and below it learning rate, gradient norm and tokens a second, over the same axis with one cursor.
#pragma once

#include <QWidget>

#include "ui/runs/run_data.h"
#include "ui/widgets/plot.h"

class QComboBox;
class QPushButton;
class QSlider;

namespace studio::ui {

class RunPlots : public QWidget {
    Q_OBJECT
  public:
    explicit RunPlots(QWidget* parent = nullptr);
    void setData(const RunData* run, qint64 total);
    void appendSteps(const RunData& run, int first);
    void appendEvaluations(const RunData& run);
    void setTotal(const RunData& run, qint64 total);

    Plot& loss() { return *loss_; }
    std::vector<Plot*> plots() const { return {loss_, rate_, norm_, speed_}; }
    PlotGroup& group() { return group_; }
    bool escape();
    QJsonObject saveState() const;
    void restoreState(const QJsonObject& state);
    // The samples' and checkpoints' place on the axis.
    void showStep(qint64 step) { group_.setCursor(static_cast<double>(step)); }

  Q_SIGNALS:
    void exportPngWanted(studio::ui::Plot* plot);
    void exportCsvWanted(studio::ui::Plot* plot);

  private:
    std::vector<PlotPoint> wherePoints(const RunData& run, int first);
    PlotPoint evaluationPoint(const RunData& run, const project::EvalRecord& record) const;

    PlotGroup group_;
    Plot *loss_, *rate_, *norm_, *speed_;
    QSlider* smoothing_;
    QComboBox* measure_;
    QPushButton *log_, *table_;
    std::filesystem::path shown_;
    double seconds_ = 0;
    std::vector<double> until_;  // seconds of training after each step, as the steps come
};

}  // namespace studio::ui
