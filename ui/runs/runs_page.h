// The Runs page: the list of runs, the chosen one in full, and a table of all.
#pragma once

#include "ui/runs/run_notice.h"
#include "ui/session/page.h"

class QScrollArea;
class QSplitter;
class QStackedWidget;
class QVBoxLayout;

namespace studio::ui {

class Chip;
class ElidedText;
class EmptyState;
class Plot;
class RunBanner;
class RunList;
class RunPlots;
class RunSamples;
class RunSide;
class RunsPresenter;
class RunsTable;

class RunsPage : public Page {
    Q_OBJECT
  public:
    explicit RunsPage(Session& session, QWidget* parent = nullptr);

    QString subject() const override;
    QString status() const override;
    QString statusRight() const override;
    QString help() const override;
    void focusSearch() override;
    bool escape() override;
    void activated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;

    RunsPresenter& presenter() { return *presenter_; }
    RunBanner& banner() { return *banner_; }
    RunPlots& plots() { return *plots_; }
    RunSide& side() { return *side_; }
    void showTable(bool shown);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void buildList();
    void buildDetail();
    void buildActions();
    void connectAll();
    void showAll();       // after a change of the chosen run
    void showProgress();  // after each message of the live run
    void showHeader();
    void arrange();  // side pane beside or below
    void act(RunAct what);
    void start(const Result<void>& result, const QString& id);
    void remove(const std::filesystem::path& folder);
    void removed(const std::filesystem::path& folder, const QString& name);
    void savePlot(Plot* plot, bool picture);
    void evaluate(const QString& checkpoint);
    void chat(const QString& checkpoint);

    RunsPresenter* presenter_;
    QSplitter* splitter_;
    QWidget* left_;
    RunList* list_;
    QPushButton* table_button_;
    QStackedWidget* stack_;  // empty, detail, table, message
    QWidget* unread_;
    EmptyState *empty_, *unreadable_;
    RunsTable* table_;
    QWidget *detail_, *header_;
    ElidedText* name_;
    QHBoxLayout* chips_;
    std::vector<Chip*> chip_list_;
    QPushButton *chat_, *pause_, *stop_;
    QScrollArea *scroll_, *side_scroll_;
    QVBoxLayout* column_;
    RunBanner* banner_;
    RunPlots* plots_;
    RunSamples* samples_;
    RunSide* side_;
    QWidget* side_line_;
    bool side_below_ = false;
    bool focus_list_ = false;  // once it is there
    QAction *resume_action_, *delete_action_, *png_action_, *csv_action_;
    std::filesystem::path wanted_;  // the selection of last time, until the list is read
};

}  // namespace studio::ui
