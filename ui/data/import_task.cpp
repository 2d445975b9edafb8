#include "ui/data/import_task.h"

#include <QFileInfo>
#include <algorithm>

#include "ui/look/format.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr QLatin1String kWork("import");

// The importer says so where a part of the file could be kept (corpus::ImportOptions::accept_truncated).
bool breaksOff(const Error& error) {
    return error.code == ErrorCode::Corrupt && error.hint.ends_with("Or import the part before it.");
}

}  // namespace

ImportTask::ImportTask(Session& session, QObject* parent) : QObject(parent), session_(session) {
    connect(this, &ImportTask::changed, this, &ImportTask::tellBoard);
}

ImportTask::~ImportTask() {
    session_.work().end(kWork);
}

void ImportTask::start(const QStringList& files, bool accept_truncated) {
    if (!session_.hasProject() || files.isEmpty()) return;
    if (!running() && !accept_truncated) outcomes_.clear();
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
    task_ = session_.imports().run<Report>(
        this,
        [store_path = session_.paths().corpus(), item](const JobContext& job) -> Result<Report> {
            corpus::ImportOptions options;
            options.shared = true;
            options.accept_truncated = item.accept_truncated;
            STUDIO_TRY(corpus::Store store, corpus::Store::openFile(store_path));
            return corpus::importFile(store, path(item.file), options, job);
        },
        [this, item](Result<Report> report) {
            const bool stored = report && !report->already_imported && report->messages + report->adopted > 0;
            const bool breaks_off = !report && breaksOff(report.error());
            keep({item.file, std::move(report), breaks_off});
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

void ImportTask::keep(ImportOutcome outcome) {
    const auto earlier = std::find_if(outcomes_.begin(), outcomes_.end(), [&](const ImportOutcome& one) {
        return one.breaks_off && one.file == outcome.file;
    });
    if (earlier == outcomes_.end())
        outcomes_.push_back(std::move(outcome));
    else
        *earlier = std::move(outcome);
}

void ImportTask::tellBoard() {
    if (!running()) return session_.work().end(kWork);
    LongWork work;
    work.id = kWork;
    work.page = PageId::Data;
    work.name = tr("Importing %1").arg(visibleLine(QFileInfo(file_).fileName()));
    if (progress_.total > 0) {
        work.share = double(progress_.done) / double(progress_.total);
        work.words = progress_.unit == "bytes" ? tr("%1 of %2").arg(bytes(progress_.done), bytes(progress_.total))
                                               : text(progress_.phase);
    } else {
        work.words = text(progress_.phase);
    }
    work.if_stopped = tr("Of the file that is being imported nothing is kept; files imported before it stay.");
    work.stop = [this] { cancel(); };
    session_.work().tell(std::move(work));
}

}  // namespace studio::ui
