// The Data page: import, filter, read, hand over to the recipe.
#pragma once

#include <QPointer>
#include <QTimer>

#include "ui/data/facet_panel.h"
#include "ui/data/import_report_view.h"
#include "ui/data/import_task.h"
#include "ui/data/library.h"
#include "ui/data/list_pane.h"
#include "ui/data/reader_pane.h"
#include "ui/session/page.h"

class QProgressBar;
class QSplitter;
class QStackedWidget;

namespace studio::ui {

class DataPage : public Page {
    Q_OBJECT
  public:
    explicit DataPage(Session& session, QWidget* parent = nullptr);

    // Reads files into the project: menu, button and drop.
    void importFiles(const QStringList& files);
    void chooseFiles();  // asks for them first
    void setFilter(const QString& filter);
    QString filter() const { return list_->filterBox()->filter(); }

    QString subject() const override;
    QString status() const override;
    QString statusRight() const override;
    QString help() const override;
    void focusSearch() override;
    bool escape() override;
    void activated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;

    // For tests and photographs.
    Library& library() { return library_; }
    ReaderPane* reader() { return reader_; }
    ListPane* listPane() { return list_; }
    ImportTask& importTask() { return import_; }

  Q_SIGNALS:
    void settled();  // the listing for what is typed is shown

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void buildBrowse();
    void buildStrip();
    void buildActions();
    void wire();
    void importSample();
    void reload();
    void ask();
    void onListed();
    void readSelected();
    void onFailed(const Error& error);
    void openMessage(const QString& message_id, const QString& branch = {}, bool asked_for = true);
    void train();
    void showStrip();
    void showReport();
    void showBody();
    void fitWidth();
    void stepConversation(int step);

    Library library_;
    QTimer patience_;   // after which a question that is not answered shows itself
    Progress looking_;  // of that question
    ImportTask import_;
    QWidget* strip_;
    Text* strip_text_;
    QProgressBar* strip_bar_;
    QStackedWidget* body_;
    QSplitter* splitter_;
    QWidget* facets_box_;
    FacetPanel* facets_;
    ListPane* list_;
    ReaderPane* reader_;
    EmptyState *empty_, *broken_;
    ImportReportView* report_;
    QAction *proof_action_ = nullptr, *report_action_ = nullptr;
    // Once the listing is there: the message to be shown, and the end of the branch it is shown on.
    QString wanted_, wanted_branch_;
    int wanted_scroll_ = -1;
    bool wanted_asked_for_ = false;  // by another page: it is told where there is no such message
    bool loaded_ = false, report_shown_ = false, narrow_ = false, placed_ = false, moved_ = false,
         facets_wanted_ = true;
};

}  // namespace studio::ui
