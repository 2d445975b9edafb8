// Choosing what to measure: run, checkpoint or the base alone, and how many prompts are answered.
#pragma once

#include <QWidget>

#include "ui/evaluate/evaluations_presenter.h"
#include "ui/session/run_service.h"

class QComboBox;
class QPushButton;
class QSpinBox;

namespace studio::ui {

class Text;

class EvaluationForm : public QWidget {
    Q_OBJECT
  public:
    explicit EvaluationForm(QWidget* parent = nullptr);
    void setRuns(const std::vector<RunEntry>& runs);
    // `checkpoint` empty: the best, and another one as soon as that is better.
    void choose(const std::filesystem::path& run, const std::filesystem::path& checkpoint);
    void setOffer(const EvaluationsPresenter::Offer& offer);
    // The run that has the engine now; empty: free.
    void setBusy(const QString& title);
    jobs::EvaluateRunRequest request() const;   // what would be measured
    jobs::EvaluateRunRequest question() const;  // what asked() asks for: names a checkpoint only where one was chosen
    QString checkpointText() const;
    QString title() const;
    QPushButton* startButton() const { return start_; }
    QString sentence() const;

  Q_SIGNALS:
    void asked();  // another run, checkpoint or base
    void startWanted();
    void dismissed();
    void showRunWanted();

  private:
    void tell();
    std::vector<std::filesystem::path> folders_;
    std::vector<std::filesystem::path> checkpoints_;  // as in the combo; the base alone is the last
    std::filesystem::path wanted_;                    // the checkpoint that was chosen; empty: the best
    bool base_wanted_ = false;
    EvaluationsPresenter::Offer offer_;
    QString busy_;
    QComboBox *run_, *checkpoint_;
    QSpinBox *answers_, *length_;
    Text *sentence_, *hint_, *busy_text_;
    QPushButton *start_, *show_run_;
    bool filling_ = false;
};

}  // namespace studio::ui
