// The strip that says how a run stands and what can be done next; with a bar while it is being prepared.
#pragma once

#include <QWidget>

#include "ui/runs/run_notice.h"

class QProgressBar;
class QPushButton;

namespace studio::ui {

class FlowLayout;
class Text;

class RunBanner : public QWidget {
    Q_OBJECT
  public:
    explicit RunBanner(QWidget* parent = nullptr);
    void setNotice(const RunNotice& notice);  // hidden where it has no sentence
    const RunNotice& notice() const { return notice_; }
    QPushButton* button(RunAct act) const;  // null: not offered

  Q_SIGNALS:
    void acted(studio::ui::RunAct act);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    RunNotice notice_;
    Text *sentence_, *hint_, *amount_;
    QProgressBar* bar_;
    FlowLayout* buttons_;
    std::vector<std::pair<RunAct, QPushButton*>> acts_;
};

}  // namespace studio::ui
