// The window's ways to a project: new, open, the bundled one, files.
#include <QFileDialog>
#include <QFileInfo>

#include "corpus/importer.h"
#include "corpus/store.h"
#include "ui/look/format.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/main_window.h"
#include "ui/shell/pages.h"

namespace studio::ui {

void MainWindow::openProject(const QString& folder) {
    saveStates();
    if (const auto opened = session_.open(path(folder)); !opened)
        session_.messages().fail(QStringLiteral("open"), opened.error());
}

void MainWindow::newProject() {
    NewProjectDialog dialog(session_.settings().projectsFolder(), this);
    if (dialog.exec() != QDialog::Accepted) return;
    saveStates();
    if (const auto made = session_.create(path(dialog.folder()), dialog.title()); !made)
        session_.messages().fail(QStringLiteral("open"), made.error());
    else
        showPage(PageId::Data);
}

void MainWindow::chooseProject() {
    const QString folder =
        QFileDialog::getExistingDirectory(this, tr("Open project"), session_.settings().projectsFolder());
    if (!folder.isEmpty()) openProject(folder);
}

void MainWindow::openSample() {
    const auto folder = Session::sampleProjectFolder();
    if (project::isProjectFolder(folder)) return openProject(pathText(folder));
    if (const auto made = session_.create(folder, tr("OASST1 sample")); !made)
        return session_.messages().fail(QStringLiteral("open"), made.error());
    // The person asked for conversations, not for a report on them.
    session_.imports().run<corpus::ImportReport>(
        this,
        [store_file = session_.paths().corpus()](const JobContext& job) -> Result<corpus::ImportReport> {
            STUDIO_TRY(corpus::Store store, corpus::Store::openFile(store_file));
            corpus::ImportOptions options;
            options.shared = true;
            return corpus::importFile(store, Session::sampleFile(), options, job);
        },
        [this](const Result<corpus::ImportReport>& report) {
            if (!report) session_.messages().fail(QStringLiteral("sample"), report.error());
            session_.tellCorpusChanged();
        });
}

void MainWindow::importFiles(const QStringList& files) {
    if (!session_.hasProject() || files.isEmpty()) return;
    showPage(PageId::Data);
    ui::importFiles(page(PageId::Data), files);
}

void MainWindow::chooseImport() {
    if (!session_.hasProject()) return;
    showPage(PageId::Data);
    ui::chooseImport(page(PageId::Data));
}

void MainWindow::openPaths(const QStringList& paths) {
    QStringList files;
    for (const QString& given : paths) {
        const QString absolute = QFileInfo(given).absoluteFilePath();
        if (project::isProjectFolder(path(absolute)))
            openProject(absolute);
        else
            files << absolute;
    }
    if (files.isEmpty()) return;
    if (!session_.hasProject()) openSample();
    importFiles(files);
}

void MainWindow::openFirst(const QStringList& paths) {
    if (!paths.isEmpty()) openPaths(paths);
    const QStringList recent = session_.settings().recentProjects();
    // One that is gone is told, and what can be opened instead stands on the page.
    if (!hasProject() && !recent.isEmpty()) openProject(recent.front());
    if (!hasProject() && recent.isEmpty()) openSample();
    tellSettings();
}

}  // namespace studio::ui
