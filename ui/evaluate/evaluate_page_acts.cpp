// What the Evaluate page does with a result, and what it tells the shell.
#include <QFileDialog>
#include <QSplitter>

#include "io/file.h"
#include "project/run_folder.h"
#include "ui/evaluate/conversation_table.h"
#include "ui/evaluate/evaluate_page.h"
#include "ui/evaluate/evaluation_list.h"
#include "ui/evaluate/evaluation_words.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/look/format.h"

namespace studio::ui {

void EvaluatePage::save(bool csv) {
    const auto* kept = presenter_->selected();
    if (!kept) return;
    const QString name =
        QStringLiteral("%1.%2").arg(pathText(kept->file.stem()), csv ? QStringLiteral("csv") : QStringLiteral("json"));
    const QString file = QFileDialog::getSaveFileName(this, tr("Export Evaluation"), name,
                                                      csv ? tr("CSV (*.csv)") : tr("JSON (*.json)"));
    if (file.isEmpty()) return;
    session().files().run<bool>(
        this,
        [file, csv, record = kept->record](const JobContext&) -> Result<bool> {
            const std::string bytes = csv ? jobs::toCsv(record) : jobs::toJson(record).dump(2) + "\n";
            STUDIO_CHECK(io::writeFileAtomic(path(file), bytes));
            return true;
        },
        [this](Result<bool> saved) {
            if (!saved) session().messages().fail(QStringLiteral("evaluation-export"), saved.error());
        });
}

void EvaluatePage::chat() {
    const auto* kept = presenter_->selected();
    if (!kept) return;
    Q_EMIT session().go().chatWith(pathText(kept->record.run), pathText(kept->record.checkpoint));
}

QString EvaluatePage::subject() const {
    if (presenter_->running()) return presenter_->runningTitle();
    return presenter_->selected() ? evaluationName(presenter_->selected()->record) : QString();
}

QString EvaluatePage::status() const {
    if (presenter_->running()) return tr("Evaluating %1").arg(presenter_->runningTitle());
    if (!presenter_->selected()) return {};
    const auto& record = presenter_->selected()->record;
    return tr("Evaluated in %1 on %2").arg(duration(record.seconds), text(record.device));
}

QString EvaluatePage::statusRight() const {
    if (!presenter_->selected()) return {};
    const auto& record = presenter_->selected()->record;
    const QString used = tr("Template %1").arg(text(record.template_name));
    if (!record.answers) return used;
    return tr("Seed %1 · %2").arg(QString::number(record.answers->request.seed), used);
}

QString EvaluatePage::help() const {
    return tr(
        "An evaluation measures the loss of a checkpoint and of its base on the conversations that the run held "
        "out, and lets both answer the same prompts. Every result is kept in the project.\n\n"
        "Perplexity is the exponential of the loss; lower is better. The interval of the difference is paired by "
        "tree; where it holds zero the two are not distinguishable.\n\n"
        "Enter or a double click on a conversation opens it in Data. Click a column's title to sort by it.");
}

void EvaluatePage::focusSearch() {
    list_->setFocus();
}

bool EvaluatePage::escape() {
    if (!form_open_) return false;
    form_open_ = false;
    showAll();
    return true;
}

void EvaluatePage::activated() {
    if (!presenter_->listed()) presenter_->start();
    if (!form_open_) list_->setFocus();
}

QJsonObject EvaluatePage::saveState() const {
    const auto* kept = presenter_->selected();
    return {{QStringLiteral("file"), kept ? pathText(kept->file.filename()) : QString()},
            {QStringLiteral("splitter"), QString::fromLatin1(splitter_->saveState().toBase64())},
            {QStringLiteral("body"), QString::fromLatin1(body_->saveState().toBase64())}};
}

void EvaluatePage::restoreState(const QJsonObject& state) {
    wanted_ = state.value(QStringLiteral("file")).toString();
    const auto restore = [&state](QSplitter* splitter, const QString& key) {
        const QByteArray bytes = QByteArray::fromBase64(state.value(key).toString().toLatin1());
        if (!bytes.isEmpty()) splitter->restoreState(bytes);
    };
    restore(splitter_, QStringLiteral("splitter"));
    restore(body_, QStringLiteral("body"));
    arrange();
}

}  // namespace studio::ui
