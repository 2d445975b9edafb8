// How one page hands over to another. The shell switches pages; the page concerned takes what is named.
#pragma once

#include <QObject>
#include <QString>

namespace studio::ui {

enum class PageId { Data, Recipe, Runs, Evaluate, Chat, Models };

class Navigator : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;

  Q_SIGNALS:
    void showPage(studio::ui::PageId page);
    void openConversation(const QString& message_id);  // Data
    void showInData(const QString& filter);            // Data: browses what the filter leaves
    void trainOn(const QString& filter);               // Recipe: the filter goes into it
    void showField(const QString& key);                // Recipe
    void newRunFrom(const QString& run_folder);        // Recipe: takes that run's
    void showRun(const QString& run_folder);           // Runs
    // Evaluate and Chat; `checkpoint` empty: the newest (or the best, where the run knows it)
    void evaluate(const QString& run_folder, const QString& checkpoint);
    void chatWith(const QString& run_folder, const QString& checkpoint);
    void chatWithBase(const QString& model_folder);
    void chatWithAdapter(const QString& model_folder, const QString& adapter_folder);  // of no run
    void useBase(const QString& model_folder);                                         // Recipe: model_name_or_path
};

}  // namespace studio::ui
