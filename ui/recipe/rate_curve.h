// The learning rate over the steps of the run, with its warm-up.
#pragma once

#include <QWidget>

#include "jobs/preview.h"

namespace studio::ui {

class RateCurve : public QWidget {
    Q_OBJECT
  public:
    explicit RateCurve(QWidget* parent = nullptr);
    void setRun(const jobs::PreviewRun* run, bool stale);
    // "Learning rate × 1e-3 over 97 steps"
    QString title() const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    std::vector<jobs::RatePoint> points_;
    std::int64_t steps_ = 0, warmup_ = 0;
    double top_ = 0;
    int exponent_ = 0;
    bool stale_ = false;
};

}  // namespace studio::ui
