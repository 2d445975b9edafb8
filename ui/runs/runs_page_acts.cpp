// What the Runs page does, and what it tells the shell.
#include <QClipboard>
#include <QDesktopServices>
#include <QFileDialog>
#include <QGuiApplication>
#include <QUrl>

#include "io/file.h"
#include "ui/look/format.h"
#include "ui/runs/run_banner.h"
#include "ui/runs/run_list.h"
#include "ui/runs/run_plots.h"
#include "ui/runs/run_samples.h"
#include "ui/runs/runs_page.h"
#include "ui/runs/runs_presenter.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr std::size_t kStamp = sizeof "20261124-140211" - 1;  // what the trash appends

}  // namespace

void RunsPage::start(const Result<void>& result, const QString& id) {
    if (!result) session().messages().fail(id, result.error());
}

void RunsPage::act(RunAct what) {
    RunService& runs = session().runs();
    const RunData* run = presenter_->data();
    const LiveRun* live = presenter_->liveSelected();
    const QString folder = pathText(presenter_->selected());
    switch (what) {
        case RunAct::Cancel:
        case RunAct::StopNow:
            return runs.stopNow();
        case RunAct::Pause:
            return runs.pause();
        case RunAct::Resume:
            if (live) return runs.unpause();
            if (run) start(runs.resume(run->folder), QStringLiteral("run-resume"));
            return;
        case RunAct::StopAfterStep:
            return runs.stopAfterStep();
        case RunAct::Evaluate:
            return evaluate({});
        case RunAct::Chat:
            return chat({});
        case RunAct::ChatBest: {
            const auto best = run ? run->bestCheckpoint() : std::nullopt;
            return chat(best ? pathText(run->folder / ("checkpoint-" + std::to_string(*best))) : QString());
        }
        case RunAct::NewFromThis:
        case RunAct::ShowRecipe:
            if (!folder.isEmpty()) Q_EMIT session().go().newRunFrom(folder);
            return;
        case RunAct::ShowFolder: {
            const auto shown =
                run && !run->checkpoints.empty() ? run->checkpoints.front().folder : presenter_->selected();
            QDesktopServices::openUrl(QUrl::fromLocalFile(pathText(shown)));
            return;
        }
        case RunAct::ShowField:
            Q_EMIT session().go().showField(banner_->notice().field);
            return;
        case RunAct::WithLess: {
            const auto change = banner_->notice().change;
            if (!run || !change) return;
            const auto& file = session().recipe().configFile();
            start(goesOnWith(*change) ? runs.resume(run->folder, change) : runs.startAgain(run->folder, *change, file),
                  QStringLiteral("run-resume"));
            if (!goesOnWith(*change) && runs.live()) Q_EMIT session().go().showRun(runs.live()->folder);
            return;
        }
        case RunAct::ShowLog:
            if (run)
                QGuiApplication::clipboard()->setText(
                    tr("Run %1\n%2\n%3").arg(text(run->info.name), pathText(run->folder), text(run->info.failure)));
            return;
        case RunAct::ShowConversations: {
            constexpr qsizetype kMost = 100;  // what a filter of 10,000 bytes holds
            QStringList quoted;
            for (QString tree : banner_->notice().trees.mid(0, kMost))
                quoted << QStringLiteral("\"%1\"").arg(tree.remove(QLatin1Char('"')));
            Q_EMIT session().go().showInData(QStringLiteral("tree:") + quoted.join(QLatin1Char(',')));
            return;
        }
        case RunAct::RetrySave:
            return runs.retrySave();
        case RunAct::GiveUpSaving:
            return runs.giveUpSaving();
    }
}

void RunsPage::evaluate(const QString& checkpoint) {
    Q_EMIT session().go().evaluate(pathText(presenter_->selected()), checkpoint);
}

void RunsPage::chat(const QString& checkpoint) {
    Q_EMIT session().go().chatWith(pathText(presenter_->selected()), checkpoint);
}

void RunsPage::remove(const std::filesystem::path& folder) {
    const int row = presenter_->indexOf(folder);
    if (row < 0) return;
    const RunBrief& run = presenter_->runs()[static_cast<std::size_t>(row)];
    const QString name = shownText(text(run.info.name), false, 80);
    const auto result = session().runs().remove(folder);
    start(result, QStringLiteral("run-remove"));
    if (result) removed(folder, name);
}

void RunsPage::removed(const std::filesystem::path& folder, const QString& name) {
    Message message;
    message.kind = Message::Kind::Info;
    message.id = QStringLiteral("run-removed");
    message.what = tr("Run “%1” was moved to the project's trash.").arg(name);
    message.action = tr("Undo");
    const auto trash = session().paths().folder / "trash";
    message.act = [this, folder, trash] {
        session().files().run<bool>(
            this,
            [folder, trash](const JobContext&) -> Result<bool> {
                // The newest of the trash's folders of this name.
                std::filesystem::path newest;
                std::error_code ec;
                for (const auto& entry : std::filesystem::directory_iterator(trash, ec)) {
                    const std::string kept = entry.path().filename().string(), own = folder.filename().string() + "-";
                    if (kept.size() != own.size() + kStamp || !kept.starts_with(own)) continue;
                    if (newest.empty() || kept > newest.filename().string()) newest = entry.path();
                }
                if (newest.empty() || std::filesystem::exists(folder, ec))
                    return fail(ErrorCode::NotFound, "The run is no longer in the trash, or its place is taken.",
                                "Look into the folder trash of the project.");
                std::filesystem::rename(newest, folder, ec);
                if (ec) return fail(io::systemError(ec.value(), "The run", newest));
                return true;
            },
            [this](Result<bool> back) {
                session().messages().dismiss(QStringLiteral("run-removed"));
                if (!back) session().messages().fail(QStringLiteral("run-remove"), back.error());
                session().runs().refresh();
            });
    };
    session().messages().show(std::move(message));
}

void RunsPage::savePlot(Plot* plot, bool picture) {
    const RunData* run = presenter_->data();
    if (!run) return;
    const QString name = QStringLiteral("%1-%2.%3")
                             .arg(QString::fromStdString(project::folderName(run->info.name)),
                                  QString::fromStdString(project::folderName(utf8(plot->title()))),
                                  picture ? QStringLiteral("png") : QStringLiteral("csv"));
    const QString file = QFileDialog::getSaveFileName(this, picture ? tr("Export Plot") : tr("Export Values"), name,
                                                      picture ? tr("PNG (*.png)") : tr("CSV (*.csv)"));
    if (file.isEmpty()) return;
    session().files().run<bool>(
        this,
        [file, picture, image = picture ? plot->picture() : QImage(),
         bytes = picture ? QByteArray() : plot->csv()](const JobContext&) -> Result<bool> {
            if (!picture) {
                STUDIO_CHECK(
                    io::writeFileAtomic(path(file), std::string_view(bytes.constData(), std::size_t(bytes.size()))));
                return true;
            }
            if (!image.save(file, "PNG"))
                return fail(ErrorCode::Io, utf8(tr("%1 could not be written.").arg(file)),
                            utf8(tr("Choose another folder, or make room on the disk.")));
            return true;
        },
        [this](Result<bool> saved) {
            if (!saved) session().messages().fail(QStringLiteral("plot-export"), saved.error());
        });
}

QString RunsPage::subject() const {
    const int row = presenter_->indexOf(presenter_->selected());
    return row < 0 ? QString() : shownText(text(presenter_->runs()[std::size_t(row)].info.name), false, 80);
}

QString RunsPage::status() const {
    const LiveRun* live = presenter_->liveSelected();
    if (live) {
        const QString state = stateShort(live->state, live->step, live->total);
        if (live->checkpoint_step < 0) return tr("Run: %1").arg(state);
        return tr("Run: %1    Last checkpoint: step %2, %3")
            .arg(state, number(live->checkpoint_step),
                 ago(static_cast<double>(live->since_checkpoint.elapsed()) / 1000.0));
    }
    return presenter_->listed() ? tr("%n run(s)", nullptr, static_cast<int>(presenter_->runs().size())) : QString();
}

QString RunsPage::statusRight() const {
    const LiveRun* live = presenter_->liveSelected();
    if (!live || !live->tokens_per_s) return {};
    return tr("%1 tokens/s").arg(number(static_cast<qint64>(*live->tokens_per_s + 0.5)));
}

QString RunsPage::help() const {
    return tr(
        "A run trains an adapter from a frozen copy of the recipe. The list shows every run of the project with "
        "its state, the course of its training loss and its last validation loss.\n\n"
        "Plots: Left and Right move the cursor, with Shift by ten steps; + and − zoom, 0 shows all; Ctrl+Left and "
        "Ctrl+Right move the cut-out. With the pointer, drag to zoom, Shift and drag to move, double-click to show "
        "all. Table shows the same values as rows.\n\n"
        "Pause keeps the model in memory. Stop finishes the step and saves a checkpoint; Resume goes on from it "
        "as if the run had never stopped.");
}

void RunsPage::focusSearch() {
    list_->setFocus();
}

bool RunsPage::escape() {
    if (table_button_->isChecked()) {
        showTable(false);
        return true;
    }
    return plots_->escape();
}

void RunsPage::activated() {
    focus_list_ = !list_->isVisible();
    if (!presenter_->listed() && session().hasProject()) presenter_->start();
    list_->setFocus();
}

QJsonObject RunsPage::saveState() const {
    return {{QStringLiteral("run"), QString::fromStdString(presenter_->selected().filename().string())},
            {QStringLiteral("table"), table_button_->isChecked()},
            {QStringLiteral("plots"), plots_->saveState()},
            {QStringLiteral("splitter"), QString::fromLatin1(splitter_->saveState().toBase64())}};
}

void RunsPage::restoreState(const QJsonObject& state) {
    const QString run = state.value(QStringLiteral("run")).toString();
    if (session().hasProject() && !run.isEmpty()) wanted_ = session().paths().runs() / utf8(run);
    plots_->restoreState(state.value(QStringLiteral("plots")).toObject());
    const QByteArray splitter = QByteArray::fromBase64(state.value(QStringLiteral("splitter")).toString().toLatin1());
    if (!splitter.isEmpty()) splitter_->restoreState(splitter);
    if (state.value(QStringLiteral("table")).toBool()) table_button_->setChecked(true);
}

}  // namespace studio::ui
