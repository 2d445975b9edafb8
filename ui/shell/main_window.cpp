#include "ui/shell/main_window.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QLabel>
#include <QMimeData>
#include <QScreen>
#include <QStackedWidget>
#include <QStatusBar>
#include <QStyle>
#include <QTimer>
#include <QVBoxLayout>

#include "project/checkpoint.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/session/run_words.h"
#include "ui/shell/banners.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/menus.h"
#include "ui/shell/pages.h"
#include "ui/shell/rail.h"
#include "ui/shell/strip.h"
#include "ui/widgets/basics.h"

namespace studio::ui {
namespace {

constexpr int kCompactBelow = 1100;  // px
constexpr int kSaveEvery = 3000;     // ms

// The list of the page, or else the first thing that takes the keyboard.
void focusFirst(QWidget& page) {
    QWidget* first = nullptr;
    for (QWidget* w = page.nextInFocusChain(); w && w != &page; w = w->nextInFocusChain()) {
        if (!page.isAncestorOf(w) || !(w->focusPolicy() & Qt::TabFocus) || !w->isEnabled() || !w->isVisibleTo(&page))
            continue;
        if (!first) first = w;
        if (!qobject_cast<QAbstractItemView*>(w)) continue;
        first = w;
        break;
    }
    if (first) first->setFocus(Qt::OtherFocusReason);
}

}  // namespace

MainWindow::MainWindow(Session& session) : session_(session) {
    setWindowIcon(programIcon());
    setAcceptDrops(true);
    build();
    connectSession();
    if (!restoreGeometry(session_.settings().layout(QStringLiteral("window")))) resize(1440, 900);
    fitScreen();
    save_timer_ = new QTimer(this);
    save_timer_->setInterval(kSaveEvery);
    connect(save_timer_, &QTimer::timeout, this, &MainWindow::saveStates);
    save_timer_->start();
    onProject();
}

MainWindow::~MainWindow() = default;

// Never larger than the screen has room for, whatever screen it was on last.
void MainWindow::fitScreen() {
    const QRect room = screen()->availableGeometry().adjusted(0, style()->pixelMetric(QStyle::PM_TitleBarHeight), 0, 0);
    setMinimumSize(QSize(760, 520).boundedTo(room.size()));
    if (isMaximized() || isFullScreen()) return;
    const QSize fitting = size().boundedTo(room.size());
    if (fitting != size()) resize(fitting);
    const QPoint corner(std::clamp(x(), room.left(), std::max(room.left(), room.right() + 1 - width())),
                        std::clamp(y(), room.top(), std::max(room.top(), room.bottom() + 1 - height())));
    if (testAttribute(Qt::WA_Moved) && corner != pos()) move(corner);
}

void MainWindow::build() {
    strip_ = new Strip(session_);
    rail_ = new Rail(session_);
    banners_ = new Banners(session_.messages());
    stack_ = new QStackedWidget;
    auto* none = new EmptyState(Glyph::Folder, tr("No project is open"),
                                tr("A project keeps conversations, recipe, runs and chats together in one folder."));
    connect(none->addButton(tr("Open the Bundled Conversations")), &QPushButton::clicked, this,
            &MainWindow::openSample);
    connect(none->addButton(tr("New Project…")), &QPushButton::clicked, this, &MainWindow::newProject);
    connect(none->addButton(tr("Open Project…")), &QPushButton::clicked, this, &MainWindow::chooseProject);
    no_project_ = none;
    stack_->addWidget(no_project_);

    auto* right = new QVBoxLayout;
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(0);
    right->addWidget(banners_);
    right->addWidget(stack_, 1);
    auto* middle = new QHBoxLayout;
    middle->setContentsMargins(0, 0, 0, 0);
    middle->setSpacing(0);
    middle->addWidget(rail_);
    middle->addLayout(right, 1);
    auto* whole = new QWidget;
    auto* column = new QVBoxLayout(whole);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(strip_);
    column->addLayout(middle, 1);
    column->addWidget(new Hairline(Qt::Horizontal));
    setCentralWidget(whole);

    status_ = new QLabel;
    status_right_ = new QLabel;
    for (QLabel* label : {status_, status_right_}) {
        label->setTextFormat(Qt::PlainText);
        label->setFont(secondaryFont(font()));
        label->setContentsMargins(2 * kSpace, 0, 2 * kSpace, 0);
    }
    statusBar()->addWidget(status_, 1);
    statusBar()->addPermanentWidget(status_right_);
    statusBar()->setSizeGripEnabled(false);

    menus_ = new Menus(*this, session_);
    connect(rail_, &Rail::chosen, this, &MainWindow::showPage);
}

// A page that does not exist yet could not hear what it is told: it is made, and told again.
template <class... Told>
void MainWindow::takes(PageId id, void (Navigator::*signal)(Told...)) {
    connect(&session_.go(), signal, this, [this, id, signal](Told... told) {
        if (pages_[static_cast<std::size_t>(id)]) return;
        page(id);
        Q_EMIT(session_.go().*signal)(told...);
    });
}

void MainWindow::connectSession() {
    connect(&session_, &Session::projectOpened, this, &MainWindow::onProject);
    connect(&session_, &Session::projectClosed, this, &MainWindow::onProject);
    connect(&session_.go(), &Navigator::showPage, this, &MainWindow::showPage);
    takes(PageId::Data, &Navigator::openConversation);
    takes(PageId::Data, &Navigator::showInData);
    takes(PageId::Recipe, &Navigator::trainOn);
    takes(PageId::Recipe, &Navigator::showField);
    takes(PageId::Recipe, &Navigator::newRunFrom);
    takes(PageId::Recipe, &Navigator::useBase);
    takes(PageId::Runs, &Navigator::showRun);
    takes(PageId::Evaluate, &Navigator::evaluate);
    takes(PageId::Chat, &Navigator::chatWith);
    takes(PageId::Chat, &Navigator::chatWithBase);
    takes(PageId::Chat, &Navigator::chatWithAdapter);
    connect(&session_.runs(), &RunService::stateChanged, this, &MainWindow::onRunState);
    connect(&session_.runs(), &RunService::ended, this, &MainWindow::onRunEnded);
    connect(&session_.runs(), &RunService::entriesChanged, this, &MainWindow::tellRuns);
    connect(&session_.settings(), &Settings::changed, this, &MainWindow::onRunState);
    connect(&notifier_, &Notifier::activated, this, [this] {
        showPage(PageId::Runs);
        raiseWindow();
    });
}

Page& MainWindow::page(PageId id) {
    Page*& page = pages_[static_cast<std::size_t>(id)];
    if (!page) {
        page = makePage(id, session_);
        stack_->addWidget(page);
        connect(page, &Page::subjectChanged, this, &MainWindow::tellPlace);
        connect(page, &Page::statusChanged, this, &MainWindow::tellPlace);
        restorePage(id);
    }
    return *page;
}

void MainWindow::restorePage(PageId id) {
    if (!session_.hasProject()) return;
    pages_[static_cast<std::size_t>(id)]->restoreState(
        session_.settings().pageState(pathText(session_.paths().folder), pageName(id)));
}

void MainWindow::showPage(PageId id) {
    current_ = id;
    rail_->setCurrent(id);
    if (!session_.hasProject()) return tellPlace();
    Page& shown = page(id);
    stack_->setCurrentWidget(&shown);
    menus_->setPage(shown);
    shown.activated();
    // The keyboard follows, unless a page has taken it already.
    if (!shown.isAncestorOf(focusWidget())) focusFirst(shown);
    tellPlace();
}

void MainWindow::onProject() {
    if (!session_.hasProject()) {
        stack_->setCurrentWidget(no_project_);
        menus_->noPage();
        focusFirst(*no_project_);
        return tellPlace();
    }
    interrupted_told_ = false;
    for (std::size_t i = 0; i < pages_.size(); ++i)
        if (pages_[i]) restorePage(static_cast<PageId>(i));
    const QJsonObject window =
        session_.settings().pageState(pathText(session_.paths().folder), QStringLiteral("window"));
    showPage(static_cast<PageId>(std::clamp(window.value(QStringLiteral("page")).toInt(), 0, 5)));
}

void MainWindow::tellPlace() {
    if (!session_.hasProject()) {
        strip_->setPlace(tr("No project"), {});
        setWindowTitle(QStringLiteral("QLoRA Studio"));
        status_->clear();
        status_right_->clear();
        return;
    }
    const Page& shown = page(current_);
    const QString title = pageTitle(current_), subject = shown.subject();
    strip_->setPlace(session_.title(), subject.isEmpty() ? title : tr("%1 — %2").arg(subject, title));
    setWindowTitle(tr("%1 — %2 — QLoRA Studio").arg(session_.title(), subject.isEmpty() ? title : subject));
    status_->setText(shown.status());
    status_right_->setText(shown.statusRight());
}

void MainWindow::raiseWindow() {
    if (isMinimized()) setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
}

void MainWindow::onRunState() {
    const auto& live = session_.runs().live();
    inhibitor_.set(live && session_.settings().inhibitSuspend() && live->state != project::RunState::Paused,
                   tr("A model is being trained"));
    tellTaskBar(live && live->total > 0 ? double(live->step) / double(live->total) : -1);
    menus_->followRun();
    tellInterrupted();
}

void MainWindow::onRunEnded(const RunEnd& end) {
    const QString name = QFileInfo(end.folder).fileName();
    Message message;
    message.id = QStringLiteral("run-ended");
    message.action = tr("Show Run");
    message.act = [this, folder = end.folder] {
        Q_EMIT session_.go().showRun(folder);
        showPage(PageId::Runs);
    };
    if (end.summary && !end.summary->stopped) {
        message.kind = Message::Kind::Good;
        message.what = tr("“%1” is finished.").arg(name);
        if (end.summary->eval_loss && end.summary->eval_loss_before)
            message.to_do = tr("Validation loss %1 → %2.")
                                .arg(number(*end.summary->eval_loss_before, 4), number(*end.summary->eval_loss, 4));
        if (!quitting_ && current_ != PageId::Runs) session_.messages().show(message);
    } else if (end.error && !end.error->cancelled()) {
        message.kind = Message::Kind::Bad;
        message.what = text(end.error->message);
        message.to_do = text(end.error->hint);
        session_.messages().show(message);
    }
    const bool failed = end.error && !end.error->cancelled();
    if (!isActiveWindow() && !quitting_ && (failed || (end.summary && !end.summary->stopped)))
        notifier_.notify(failed ? tr("Training failed") : tr("Training finished"), joined(message.what, message.to_do),
                         failed);
    onRunState();
    if (quitting_) close();
}

void MainWindow::tellSettings() {
    const auto problem = session_.settings().problem();
    if (!problem || settings_told_) return;
    settings_told_ = true;
    session_.messages().fail(QStringLiteral("settings"), *problem);
}

void MainWindow::tellRuns() {
    tellInterrupted();
    const QStringList& unreadable = session_.runs().unreadable();
    if (unreadable == unreadable_told_) return;
    unreadable_told_ = unreadable;
    if (unreadable.isEmpty()) return session_.messages().dismiss(QStringLiteral("runs-unread"));
    Message message;
    message.kind = Message::Kind::Careful;
    message.id = QStringLiteral("runs-unread");
    message.what =
        tr("%n run(s) could not be read and stand in no list.", nullptr, static_cast<int>(unreadable.size()));
    message.to_do = unreadable.front();
    message.details = unreadable.join(QLatin1Char('\n'));
    session_.messages().show(message);
}

void MainWindow::tellInterrupted() {
    if (!interrupted_run_.empty()) {  // resumed, moved to the trash, gone: nothing is left to resume
        const auto& live = session_.runs().live();
        const auto& entries = session_.runs().entries();
        const bool there =
            !(live && path(live->folder) == interrupted_run_) &&
            std::any_of(entries.begin(), entries.end(), [this](const RunEntry& entry) {
                return entry.folder == interrupted_run_ && entry.info.state == project::RunState::Interrupted;
            });
        if (!there) {
            interrupted_run_.clear();
            session_.messages().dismiss(QStringLiteral("interrupted"));
        }
    }
    if (interrupted_told_ || session_.runs().active()) return;
    for (const RunEntry& entry : session_.runs().entries()) {
        if (entry.info.state != project::RunState::Interrupted) continue;
        interrupted_told_ = true;
        interrupted_run_ = entry.folder;
        Message message;
        message.kind = Message::Kind::Careful;
        message.id = QStringLiteral("interrupted");
        message.what = tr("The run “%1” was interrupted at step %2 of %3.")
                           .arg(text(entry.info.name), number(entry.steps), number(entry.total));
        message.to_do = project::listCheckpoints(entry.folder).empty()
                            ? tr("It had no checkpoint yet and begins again from its first step.")
                            : tr("It can go on from its last checkpoint.");
        message.action = tr("Resume");
        message.act = [this, folder = entry.folder] {
            if (const auto resumed = session_.runs().resume(folder); !resumed)
                session_.messages().fail(QStringLiteral("resume"), resumed.error());
            showPage(PageId::Runs);
        };
        session_.messages().show(message);
        return;
    }
}

void MainWindow::saveStates() {
    Settings& settings = session_.settings();
    settings.setLayout(QStringLiteral("window"), saveGeometry());
    tellSettings();
    if (!session_.hasProject()) return;
    const QString folder = pathText(session_.paths().folder);
    settings.setPageState(folder, QStringLiteral("window"), {{QStringLiteral("page"), static_cast<int>(current_)}});
    for (std::size_t i = 0; i < pages_.size(); ++i)
        if (pages_[i]) settings.setPageState(folder, pageName(static_cast<PageId>(i)), pages_[i]->saveState());
}

void MainWindow::closeEvent(QCloseEvent* event) {
    saveStates();
    session_.settings().sync();
    if (session_.runs().active()) {
        event->ignore();
        if (quitting_) return;  // ended() closes
        const CloseChoice choice = askClose(*session_.runs().live(), session_.work().all(), this);
        if (quitting_) {  // a signal came meanwhile; a window does not close within its own closing
            if (!session_.runs().active()) QTimer::singleShot(0, this, &QWidget::close);
            return;
        }
        switch (choice) {
            case CloseChoice::Keep:
                if (const auto& live = session_.runs().live();
                    live && (live->pausing || live->state == project::RunState::Paused))
                    session_.runs().unpause();
                showMinimized();
                return;
            case CloseChoice::Stop:
                // Later: the run may have ended while the question stood.
                QTimer::singleShot(0, this, &MainWindow::quitGently);
                return;
            case CloseChoice::Cancel:
                return;
        }
    }
    if (!quitting_ && !session_.work().all().isEmpty()) {
        event->ignore();
        const CloseChoice choice = askClose(session_.work().all(), this);
        if (quitting_ || choice == CloseChoice::Stop)  // quitting: a signal came meanwhile
            QTimer::singleShot(0, this, &MainWindow::quitGently);
        else if (choice == CloseChoice::Keep)
            showMinimized();
        return;
    }
    event->accept();
    session_.work().stopAll();
    QTimer::singleShot(0, qApp, &QApplication::quit);
}

void MainWindow::quitGently() {
    if (QWidget* question = QApplication::activeModalWidget()) question->close();
    const bool again = std::exchange(quitting_, true);
    if (!session_.runs().active()) {
        close();
        return;
    }
    if (again) return session_.runs().stopNow();
    session_.messages().info(QStringLiteral("quitting"), tr("Stopping after this step…"),
                             tr("The window closes when the checkpoint is on the disk."));
    session_.runs().stopAfterStep();
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    rail_->setCompact(width() < kCompactBelow);
    banners_->fit();
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) {
        if (session_.hasProject() && page(current_).escape()) return;
        if (banners_->closeNewest()) return;
    }
    QMainWindow::keyPressEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    QStringList paths;
    QString address;
    for (const QUrl& url : event->mimeData()->urls()) {
        if (url.isLocalFile())
            paths << url.toLocalFile();
        else
            address = url.toDisplayString();
    }
    if (paths.isEmpty() && !address.isEmpty())
        session_.messages().info(QStringLiteral("drop"), tr("%1 is no file on this computer.").arg(address),
                                 tr("Download it first, then drop or import the file."));
    openPaths(paths);
    event->acceptProposedAction();
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::ApplicationFontChange || event->type() == QEvent::FontChange)
        for (QLabel* label : {status_, status_right_}) label->setFont(secondaryFont(QApplication::font()));
}

}  // namespace studio::ui
