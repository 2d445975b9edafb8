// The Evaluate page: kept results, a new measurement, its progress.
#pragma once

#include "ui/session/page.h"

class QHBoxLayout;
class QProgressBar;
class QPushButton;
class QScrollArea;
class QSplitter;
class QStackedWidget;
class QVBoxLayout;

namespace studio::ui {

class AnswersView;
class ConversationTable;
class ElidedText;
class EmptyState;
class EvaluationForm;
class EvaluationList;
class EvaluationsPresenter;
class FigureRow;
class PhaseList;
class Text;

class EvaluatePage : public Page {
    Q_OBJECT
  public:
    explicit EvaluatePage(Session& session, QWidget* parent = nullptr);

    QString subject() const override;
    QString status() const override;
    QString statusRight() const override;
    QString help() const override;
    void focusSearch() override;
    bool escape() override;
    void activated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;

    EvaluationsPresenter& presenter() { return *presenter_; }
    EvaluationForm& form() { return *form_; }
    ConversationTable& conversations() { return *table_; }
    AnswersView& answers() { return *answers_; }
    void showForm(const std::filesystem::path& run = {}, const std::filesystem::path& checkpoint = {});

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void buildList();
    void buildResult();
    void buildActions();
    void connectAll();
    void showAll();
    void showResult();
    void arrange();
    void tellBusy();
    void begin();
    void save(bool csv);
    void chat();

    EvaluationsPresenter* presenter_;
    QSplitter* splitter_;
    QWidget *left_, *result_, *unread_;
    EvaluationList* list_;
    QPushButton* new_;
    Text* unreadable_;
    QStackedWidget* stack_;
    EmptyState* empty_;
    EvaluationForm* form_;
    PhaseList* progress_;
    ElidedText *name_, *about_;
    QPushButton *export_, *chat_;
    FigureRow* figures_;
    Text *table_title_, *notices_;
    ConversationTable* table_;
    AnswersView* answers_;
    QScrollArea* answers_scroll_;
    QSplitter* body_;
    QAction *csv_action_, *json_action_, *chat_action_, *cancel_action_;
    qint64 saved_ = -1;  // newest checkpoint of the run at work
    bool form_open_ = false;
    bool watching_ = false;  // the measurement at work, not an earlier result
    QString wanted_;         // the file that was shown last time
};

}  // namespace studio::ui
