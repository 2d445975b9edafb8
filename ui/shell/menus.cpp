#include "ui/shell/menus.h"

#include <QApplication>
#include <QDesktopServices>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QUrl>

#include "ui/look/format.h"
#include "ui/session/run_words.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/main_window.h"
#include "ui/shell/rail.h"
#include "ui/shell/system_report.h"

namespace studio::ui {

namespace {

// Their letters are not those of File, Edit, View, Run and Help.
QString pageMenuTitle(PageId page) {
    switch (page) {
        case PageId::Data:
            return Menus::tr("&Data");
        case PageId::Recipe:
            return Menus::tr("Re&cipe");
        case PageId::Runs:
            return Menus::tr("Run&s");
        case PageId::Evaluate:
            return Menus::tr("Ev&aluate");
        case PageId::Chat:
            return Menus::tr("&Chat");
        case PageId::Models:
            break;
    }
    return Menus::tr("&Models");
}

}  // namespace

Menus::Menus(MainWindow& window, Session& session) : QObject(&window), window_(window), session_(session) {
    fileMenu();
    editMenu();
    viewMenu();
    page_menu_ = window_.menuBar()->addMenu(tr("&Data"));
    runMenu();
    helpMenu();
    followRun();
}

QAction* Menus::add(QMenu* menu, const QString& words, const QKeySequence& keys, std::function<void()> act) {
    auto* action = menu->addAction(words);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, std::move(act));
    return action;
}

void Menus::fileMenu() {
    QMenu* menu = window_.menuBar()->addMenu(tr("&File"));
    add(menu, tr("&New Project…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_N), [this] { window_.newProject(); });
    add(menu, tr("&Open Project…"), QKeySequence::Open, [this] { window_.chooseProject(); });
    QMenu* recent = menu->addMenu(tr("Open &Recent"));
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { fillRecent(recent); });
    add(menu, tr("Open the &Bundled Conversations"), {}, [this] { window_.openSample(); });
    menu->addSeparator();
    needs_project_ << add(menu, tr("&Import Conversations…"), QKeySequence(Qt::CTRL | Qt::Key_I),
                          [this] { window_.chooseImport(); });
    needs_project_ << add(menu, tr("Show Project &Folder"), {}, [this] {
        QDesktopServices::openUrl(QUrl::fromLocalFile(pathText(session_.paths().folder)));
    });
    menu->addSeparator();
    add(menu, tr("&Settings…"), QKeySequence::Preferences, [this] {
        SettingsDialog(session_.settings(), session_.cards(), &window_).exec();
    })->setShortcuts({QKeySequence(Qt::CTRL | Qt::Key_Comma)});
    menu->addSeparator();
    add(menu, tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { window_.close(); });
}

void Menus::fillRecent(QMenu* menu) {
    menu->clear();
    for (const QString& folder : session_.settings().recentProjects()) {
        const bool there = project::isProjectFolder(path(folder));
        QAction* action = menu->addAction(there ? folder : tr("%1 (missing)").arg(folder));
        action->setEnabled(there);
        connect(action, &QAction::triggered, this, [this, folder] { window_.openProject(folder); });
    }
    if (menu->isEmpty()) menu->addAction(tr("None yet"))->setEnabled(false);
    menu->addSeparator();
    connect(menu->addAction(tr("Forget Missing Ones")), &QAction::triggered, this, [this] {
        for (const QString& folder : session_.settings().recentProjects())
            if (!project::isProjectFolder(path(folder))) session_.settings().removeRecentProject(folder);
    });
}

void Menus::editMenu() {
    QMenu* menu = window_.menuBar()->addMenu(tr("&Edit"));
    edit_menu_ = menu;
    edit_end_ = menu->addSeparator();
    add(menu, tr("&Find on This Page"), QKeySequence::Find, [this] {
        if (session_.hasProject()) window_.page(window_.current()).focusSearch();
    });
}

void Menus::viewMenu() {
    QMenu* menu = window_.menuBar()->addMenu(tr("&View"));
    for (int i = 0; i < 6; ++i) {
        const auto id = static_cast<PageId>(i);
        needs_project_ << add(menu, QStringLiteral("&%1 %2").arg(i + 1).arg(pageTitle(id)),
                              QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)),
                              [this, id] { window_.showPage(id); });
    }
    menu->addSeparator();
    add(menu, tr("&Full Screen"), QKeySequence(Qt::Key_F11),
        [this] { window_.setWindowState(window_.windowState() ^ Qt::WindowFullScreen); });
}

void Menus::runMenu() {
    QMenu* menu = window_.menuBar()->addMenu(tr("&Run"));
    RunService& runs = session_.runs();
    pause_ = add(menu, tr("&Pause"), QKeySequence(Qt::CTRL | Qt::Key_Period), [&runs] { runs.pause(); });
    resume_ =
        add(menu, tr("&Resume"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Period), [&runs] { runs.unpause(); });
    stop_ = add(menu, tr("&Stop After This Step"), {}, [&runs] { runs.stopAfterStep(); });
    stop_now_ = add(menu, tr("Stop &Now"), {}, [&runs] { runs.stopNow(); });
    menu->addSeparator();
    add(menu, tr("&Unload Model"), {}, [this] { session_.engine().unload(); });
}

void Menus::helpMenu() {
    QMenu* menu = window_.menuBar()->addMenu(tr("&Help"));
    add(menu, tr("About This &Page"), QKeySequence::HelpContents, [this] {
        if (!session_.hasProject()) return;
        const Page& page = window_.page(window_.current());
        (new TextDialog(pageTitle(page.id()), page.help(), false, &window_))->show();
    });
    add(menu, tr("&Keyboard Shortcuts"), QKeySequence(Qt::CTRL | Qt::Key_Question),
        [this] { (new TextDialog(tr("Keyboard shortcuts"), shortcutSheet(), true, &window_))->show(); });
    menu->addSeparator();
    add(menu, tr("Past &Messages"), {}, [this] {
        QStringList lines;
        for (const Message& m : session_.messages().past())
            lines << QStringLiteral("%1  %2").arg(QLocale().toString(m.when, QLocale::ShortFormat),
                                                  joined(m.what, m.to_do));
        (new TextDialog(tr("Past messages"), lines.isEmpty() ? tr("None yet.") : lines.join(QLatin1Char('\n')), false,
                        &window_))
            ->show();
    });
    add(menu, tr("&Log"), {}, [this] {
        const QString log = logTail(400);
        (new TextDialog(tr("Log"), log.isEmpty() ? tr("The log is empty.") : log, true, &window_))->show();
    });
    add(menu, tr("&System Report"), {},
        [this] { (new TextDialog(tr("System report"), systemReport(session_), true, &window_))->show(); });
    menu->addSeparator();
    add(menu, tr("&About QLoRA Studio"), {}, [this] {
        QMessageBox box(QMessageBox::NoIcon, tr("About QLoRA Studio"),
                        tr("QLoRA Studio %1").arg(QCoreApplication::applicationVersion()), QMessageBox::Close,
                        &window_);
        box.setIconPixmap(programIcon().pixmap(64));
        box.setInformativeText(
            tr("Fine-tunes phi-2 on conversations with QLoRA, on this machine. Nothing leaves it.\n\n"
               "Free software under the GNU General Public License, version 3 or later. The bundled "
               "conversations are from OASST1 (Apache License 2.0)."));
        box.exec();
    });
}

void Menus::setPage(Page& page) {
    noPage();
    page_menu_->setTitle(pageMenuTitle(page.id()));
    for (QAction* action : page.pageActions()) {
        // Undo and Redo stand where everybody looks for them.
        const bool edits = action->shortcut() == QKeySequence(QKeySequence::Undo) ||
                           action->shortcut() == QKeySequence(QKeySequence::Redo);
        if (edits) {
            edit_menu_->insertAction(edit_end_, action);
            edit_actions_ << action;
        } else {
            page_menu_->addAction(action);
        }
    }
    page_menu_->menuAction()->setVisible(!page_menu_->isEmpty());
    for (QAction* action : needs_project_) action->setEnabled(true);
}

void Menus::noPage() {
    page_menu_->clear();
    page_menu_->menuAction()->setVisible(false);
    for (const QPointer<QAction>& action : edit_actions_)
        if (action) edit_menu_->removeAction(action);
    edit_actions_.clear();
    for (QAction* action : needs_project_) action->setEnabled(false);
}

void Menus::followRun() {
    const auto& live = session_.runs().live();
    const bool steps = live && session_.runs().stepping() && live->state != project::RunState::Stopping;
    const bool paused = live && (live->state == project::RunState::Paused || live->pausing);
    pause_->setEnabled(steps && !paused);
    resume_->setEnabled(steps && paused);
    stop_->setEnabled(live && live->state != project::RunState::Stopping);
    stop_now_->setEnabled(live.has_value());
}

QString Menus::shortcutSheet() const {
    QString sheet;
    for (const QAction* top : window_.menuBar()->actions()) {
        if (!top->menu()) continue;
        QString part;
        for (const QAction* action : top->menu()->actions()) {
            if (action->shortcut().isEmpty()) continue;
            part += QStringLiteral("  %1 %2\n")
                        .arg(action->shortcut().toString(QKeySequence::NativeText), -18)
                        .arg(QString(action->text()).remove(QLatin1Char('&')));
        }
        if (!part.isEmpty())
            sheet += QString(top->text()).remove(QLatin1Char('&')) + QLatin1Char('\n') + part + QLatin1Char('\n');
    }
    return sheet + tr("Esc closes what is open: a list, a search, the newest message.\nTab and Shift+Tab move; F10 "
                      "opens the menus.\n");
}

}  // namespace studio::ui
