// Answers to the recipe's sample prompts: as they were before the first step, and as they are now.
#pragma once

#include <QWidget>

#include "project/run_log.h"

class QComboBox;
class QVBoxLayout;

namespace studio::ui {

class RunSamples : public QWidget {
    Q_OBJECT
  public:
    explicit RunSamples(QWidget* parent = nullptr);
    // Hidden without samples. The newest step is shown unless another was chosen.
    void setSamples(const std::vector<project::SampleRecord>& samples);
    qint64 shownStep() const { return shown_; }

  Q_SIGNALS:
    void stepChosen(qint64 step);

  private:
    void show(qint64 step);
    std::vector<project::SampleRecord> samples_;
    qint64 shown_ = -1;
    bool follows_ = true;
    QComboBox* steps_;
    QVBoxLayout* answers_;
    QWidget* body_ = nullptr;
};

}  // namespace studio::ui
