// Reads files into the project's store, one after the other, and keeps what there is to say about each.
#pragma once

#include <QObject>
#include <QPointer>
#include <QStringList>
#include <vector>

#include "corpus/importer.h"
#include "ui/session/session.h"

namespace studio::ui {

struct ImportOutcome {
    QString file;  // as chosen, with its folder
    Result<corpus::ImportReport> report = cancelled();
    bool breaks_off = false;  // a readable part could be kept
};

class ImportTask : public QObject {
    Q_OBJECT
  public:
    explicit ImportTask(Session& session, QObject* parent = nullptr);
    ~ImportTask() override;

    bool running() const { return !task_.isNull(); }
    // While one is running: these follow it. `accept_truncated` keeps the readable part of files of the last round that
    // broke off: what it finds takes the place of what was said of them, the other outcomes stay.
    void start(const QStringList& files, bool accept_truncated = false);
    void cancel();  // the running file is undone, those that wait are dropped

    const QString& file() const { return file_; }
    int waiting() const { return static_cast<int>(queue_.size()); }
    const Progress& progress() const { return progress_; }
    // Of this round, in order; a new round begins when files are named while nothing runs.
    const std::vector<ImportOutcome>& outcomes() const { return outcomes_; }
    void clear() { outcomes_.clear(); }

  Q_SIGNALS:
    void changed();   // progress(), file(), running()
    void finished();  // outcomes() is complete
    void stored();    // something was put into the store

  private:
    void next();
    void keep(ImportOutcome outcome);
    void tellBoard();
    struct Item {
        QString file;
        bool accept_truncated = false;
    };
    Session& session_;
    std::vector<Item> queue_;
    std::vector<ImportOutcome> outcomes_;
    QPointer<Task> task_;
    QString file_;
    Progress progress_;
};

}  // namespace studio::ui
