// The right half of the page: what the recipe will do, and the buttons that do it.
#pragma once

#include <QWidget>

#include "ui/recipe/consequences.h"
#include "ui/widgets/basics.h"

class QBoxLayout;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QScrollArea;

namespace studio::ui {

class FindingsView;
class LengthBars;
class MemoryBar;
class ModuleDiagram;
class RateCurve;

class ConsequencesView : public QWidget {
    Q_OBJECT
  public:
    ConsequencesView(Consequences& consequences, QWidget* parent);

    void refresh();
    // Why Start is not to be pressed now; empty: it is.
    // `aloud`: nothing else on the page says it.
    void setBlocked(const QString& reason, bool aloud);
    // The figures are of an earlier recipe: faded.
    void setOutdated(bool outdated);
    void setDryRunBlocked(const QString& reason);
    void setStartError(const QString& sentence);

    QLineEdit* nameEdit() const { return name_; }
    QPushButton* startButton() const { return start_; }
    QPushButton* dryRunButton() const { return dry_run_; }
    FactList* runFacts() const { return run_facts_; }
    FactList* memoryFacts() const { return memory_facts_; }
    Text* memoryNote() const { return memory_note_; }

  Q_SIGNALS:
    void startWanted();
    void cureWanted(const std::string& key, const std::string& value);
    void fieldWanted(const QString& key);
    void pageWanted(studio::ui::PageId page);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void buildHeader(class QVBoxLayout* layout);
    QWidget* buildPictures();
    QWidget* buildFigures();
    void showRun();
    void showMemory();

    Consequences& consequences_;
    PaneHeader* header_;
    QLineEdit* name_;
    QPushButton *dry_run_, *start_;
    QString start_error_;
    Text *blocked_ = nullptr, *updating_ = nullptr;
    QScrollArea* scroll_;
    QBoxLayout* columns_;
    QWidget *pictures_, *figures_;
    Text *modules_title_, *curve_title_, *memory_title_, *memory_note_, *measure_note_, *last_dry_run_;
    ModuleDiagram* diagram_;
    RateCurve* curve_;
    Text* lengths_title_;
    LengthBars* lengths_;
    FactList *run_facts_, *memory_facts_;
    MemoryBar* memory_bar_;
    QWidget* measure_line_;
    LinkButton* measure_;
    QProgressBar* busy_;
    FindingsView* findings_;
};

}  // namespace studio::ui
