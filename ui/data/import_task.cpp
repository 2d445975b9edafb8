#include "ui/data/import_task.h"

#include "ui/look/format.h"

namespace studio::ui {
namespace {

// The importer says so where a part of the file could be kept (corpus::ImportOptions::accept_truncated).
bool breaksOff(const Error& error) {
    return error.code == ErrorCode::Corrupt && error.hint.ends_with("Or import the part before it.");
}

}  // namespace

ImportTask::ImportTask(Session& session, QObject* parent) : QObject(parent), session_(session) {}

void ImportTask::start(const QStringList& files, bool accept_truncated) {
    if (!session_.hasProject() || files.isEmpty()) return;
    if (!running()) outcomes_.clear();
    for (const QString& file : files) queue_.push_back({file, accept_truncated});
    if (!running()) next();
}

void ImportTask::cancel() {
    queue_.clear();
    if (task_) task_->cancel();
}

void ImportTask::next() {
    if (queue_.empty()) {
        task_ = nullptr;
        file_.clear();
        Q_EMIT changed();
        Q_EMIT finished();
        return;
    }
    const Item item = queue_.front();
    queue_.erase(queue_.begin());
    file_ = item.file;
    progress_ = {};
    using Report = corpus::ImportReport;
    task_ = session_.files().run<Report>(
        this,
        [store_path = session_.paths().corpus(), item](const JobContext& job) -> Result<Report> {
            corpus::ImportOptions options;
            options.accept_truncated = item.accept_truncated;
            STUDIO_TRY(corpus::Store store, corpus::Store::openFile(store_path));
            return corpus::importFile(store, path(item.file), options, job);
        },
        [this, item](Result<Report> report) {
            const bool stored = report && !report->already_imported && report->messages + report->adopted > 0;
            const bool breaks_off = !report && breaksOff(report.error());
            outcomes_.push_back({item.file, std::move(report), breaks_off});
            task_ = nullptr;
            if (stored) Q_EMIT this->stored();
            next();
        });
    connect(task_, &Task::progress, this, [this](const Progress& value) {
        progress_ = value;
        Q_EMIT changed();
    });
    Q_EMIT changed();
}

}  // namespace studio::ui
