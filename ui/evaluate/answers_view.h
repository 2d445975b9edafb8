// The answers to held-out prompts, one prompt at a time: adapter above, base below.
#pragma once

#include <QWidget>

#include "jobs/evaluation_record.h"

class QToolButton;

namespace studio::ui {

class AnswerBlock;
class Text;

class AnswersView : public QWidget {
    Q_OBJECT
  public:
    explicit AnswersView(QWidget* parent = nullptr);
    void setRecord(const jobs::EvaluationRecord* record);  // hidden without answers
    void show(int prompt);
    int shown() const { return shown_; }

  private:
    std::optional<jobs::AnswerStatistics> answers_;
    int shown_ = 0;
    Text *where_, *prompt_;
    QToolButton *back_, *next_;
    AnswerBlock *adapted_, *base_, *alone_;
};

}  // namespace studio::ui
