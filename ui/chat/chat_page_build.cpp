// The Chat page's widgets, actions and what it remembers.
#include <QAction>
#include <QHBoxLayout>
#include <QScrollBar>
#include <QVBoxLayout>

#include "ui/chat/chat_page.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr const char* kSplitter = "chat-splitter";

}  // namespace

void ChatPage::build() {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    splitter_ = new QSplitter(Qt::Horizontal);
    splitter_->setHandleWidth(1);
    splitter_->setChildrenCollapsible(false);
    pane_ = new ChatSettingsPane;
    splitter_->addWidget(buildList());
    splitter_->addWidget(buildCentre());
    splitter_->addWidget(pane_);
    splitter_->setStretchFactor(0, 0);
    splitter_->setStretchFactor(1, 1);
    splitter_->setStretchFactor(2, 0);
    const int unit = characterWidth(font());
    splitter_->widget(0)->setMinimumWidth(20 * unit);
    splitter_->widget(1)->setMinimumWidth(52 * unit);
    if (!splitter_->restoreState(session().settings().layout(QLatin1String(kSplitter))))
        splitter_->setSizes({30 * unit, 120 * unit, 35 * unit});
    connect(splitter_, &QSplitter::splitterMoved, this, [this] {
        if (!narrow_) session().settings().setLayout(QLatin1String(kSplitter), splitter_->saveState());
    });
    row->addWidget(splitter_);
    setTabOrder(list_, bar_);
}

QWidget* ChatPage::buildList() {
    auto* pane = new QWidget;
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* header = new PaneHeader(tr("Chats"));
    auto* fresh = new QPushButton(icon(Glyph::Plus), tr("New"));
    fresh->setAccessibleName(tr("New chat"));
    fresh->setToolTip(tr("New chat (Ctrl+N)"));
    connect(fresh, &QPushButton::clicked, this, [this] { new_->trigger(); });
    header->row()->addWidget(fresh);
    column->addWidget(header);
    list_model_ = new ChatListModel(book_, shelf_, this);
    list_ = new QListView;
    list_->setObjectName(QStringLiteral("chats"));
    list_->setModel(list_model_);
    list_->setItemDelegate(new ChatListDelegate(list_));
    list_->setFrameShape(QFrame::NoFrame);
    list_->setEditTriggers(QAbstractItemView::EditKeyPressed);
    list_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    list_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list_->setUniformItemSizes(true);
    list_->setAccessibleName(tr("Chats"));
    list_->setContextMenuPolicy(Qt::ActionsContextMenu);
    list_->viewport()->setAutoFillBackground(false);
    column->addWidget(list_, 1);
    return pane;
}

QWidget* ChatPage::buildCentre() {
    auto* pane = new QWidget;
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    bar_ = new ModelBar;
    column->addWidget(bar_);

    loading_ = new QWidget;
    auto* strip = new QHBoxLayout(loading_);
    strip->setContentsMargins(4 * kSpace, 2 * kSpace, 4 * kSpace, 2 * kSpace);
    strip->setSpacing(3 * kSpace);
    loading_text_ = new ElidedText(Text::Kind::Secondary);
    loading_bar_ = new QProgressBar;
    loading_bar_->setTextVisible(false);
    loading_bar_->setFixedHeight(6);
    loading_bar_->setAccessibleName(tr("Loading the model"));
    auto* stop = new LinkButton(tr("Cancel"));
    stop->setAccessibleName(tr("Cancel loading the model"));
    connect(stop, &QToolButton::clicked, &presenter_, &ChatPresenter::stop);
    strip->addWidget(loading_text_, 2);
    strip->addWidget(loading_bar_, 3);
    strip->addWidget(stop);
    column->addWidget(loading_);

    stack_ = new QStackedWidget;
    starters_ = new Starters;
    view_ = new ChatView;
    no_model_ = new EmptyState(Glyph::Models, tr("There is no model on this computer that can be asked."),
                               tr("Models says what is there, what it lacks and how to get phi-2."));
    connect(no_model_->addButton(tr("Open Models")), &QPushButton::clicked, this,
            [this] { Q_EMIT session().go().showPage(PageId::Models); });
    unread_ = new QWidget;  // before the first answer
    stack_->addWidget(unread_);
    stack_->addWidget(starters_);
    stack_->addWidget(view_);
    stack_->addWidget(no_model_);
    column->addWidget(stack_, 1);
    composer_ = new Composer;
    column->addWidget(composer_);
    return pane;
}

void ChatPage::buildActions() {
    new_ = addPageAction(tr("&New Chat"), QKeySequence(QStringLiteral("Ctrl+N")), tr("Begin a chat"), [this] {
        presenter_.startNew();
        composer_->setFocusToText();
    });
    rename_ = addPageAction(tr("&Rename Chat"), QKeySequence(QStringLiteral("F2")), tr("Give the chat another title"),
                            [this] {
                                const QModelIndex index = list_->currentIndex();
                                if (index.isValid()) list_->edit(index);
                            });
    delete_ = addPageAction(tr("&Delete Chat"), QKeySequence(QStringLiteral("Ctrl+Shift+Delete")),
                            tr("Move the chat into the project's trash"), [this] { removeCurrent(); });
    auto* quick = new QAction(this);  // Delete alone only in the list, where no text is written
    quick->setShortcut(QKeySequence::Delete);
    quick->setShortcutContext(Qt::WidgetShortcut);
    quick->setVisible(false);
    connect(quick, &QAction::triggered, delete_, &QAction::trigger);
    list_->addAction(quick);
    regenerate_ =
        addPageAction(tr("Re&generate Answer"), QKeySequence(QStringLiteral("Ctrl+Shift+R")),
                      tr("Ask the same again, with the next seed"), [this] { presenter_.regenerate(lastAnswer()); });
    edit_ = addPageAction(tr("&Edit Prompt"), QKeySequence(QStringLiteral("Ctrl+Shift+E")),
                          tr("Change a prompt and send it as a branch of its own"), [this] {
                              const project::Chat* chat = presenter_.chat();
                              const int answer = lastAnswer();
                              if (!chat || answer < 0) return;
                              presenter_.act(TurnAction::Edit, chat->nodes[static_cast<std::size_t>(answer)].parent, 0);
                          });
    previous_ = addPageAction(
        tr("&Previous Branch"), QKeySequence(QStringLiteral("Alt+Left")),
        tr("Show the answer or prompt before this one"),
        [this] { presenter_.showSibling(view_->currentNode() >= 0 ? view_->currentNode() : lastAnswer(), -1); });
    next_ = addPageAction(
        tr("Ne&xt Branch"), QKeySequence(QStringLiteral("Alt+Right")), tr("Show the answer or prompt behind this one"),
        [this] { presenter_.showSibling(view_->currentNode() >= 0 ? view_->currentNode() : lastAnswer(), 1); });
    compare_ = addPageAction(tr("Compare With &Base"), QKeySequence(QStringLiteral("Ctrl+B")),
                             tr("Ask the base as well, with the same prompt and seed"), [] {});
    compare_->setCheckable(true);
    connect(compare_, &QAction::toggled, this, [this](bool on) {
        project::ChatSettings s = presenter_.settings();
        s.compare = on;
        presenter_.setSettings(s);
    });
    copy_ = addPageAction(tr("&Copy Answer"), QKeySequence(QStringLiteral("Ctrl+Shift+C")),
                          tr("Copy the answer's text"), [this] { presenter_.act(TurnAction::Copy, lastAnswer(), 0); });
    copy_all_ = addPageAction(tr("Copy &Whole Chat"), {}, tr("Copy the chat as Markdown"), [this] { copyChat(); });
    export_ = addPageAction(tr("Export as &Markdown…"), QKeySequence(QStringLiteral("Ctrl+Shift+S")),
                            tr("Write the chat into a file"), [this] { exportChat(); });
    for (QAction* action : {new_, rename_, delete_, copy_all_, export_}) list_->addAction(action);
}

void ChatPage::enableActions() {
    if (!export_) return;  // not built yet
    const project::Chat* chat = presenter_.chat();
    const bool some = chat && !chat->nodes.empty(), idle = !presenter_.answering();
    new_->setEnabled(session().hasProject());
    rename_->setEnabled(chat != nullptr);
    delete_->setEnabled(chat != nullptr);
    for (QAction* action : {regenerate_, edit_, previous_, next_}) action->setEnabled(some && idle);
    for (QAction* action : {copy_, copy_all_, export_}) action->setEnabled(some);
    compare_->setEnabled(presenter_.canCompare());
}

QString ChatPage::subject() const {
    const project::Chat* chat = presenter_.chat();
    return chat ? visibleText(text(chat->heading())).simplified() : QString();
}

QString ChatPage::status() const {
    const auto& live = session().runs().live();
    if (live && live->state == project::RunState::Paused)
        return tr("%1 is paused: its adapter answers").arg(live->name);
    if (live) return tr("%1 is training: chat runs between its steps").arg(live->name);
    if (presenter_.answering()) return presenter_.waiting();
    return {};
}

QString ChatPage::statusRight() const {
    const PromptMeasure& m = meter_.last();
    return m.context > 0 ? tr("%1 of %2 tokens").arg(number(qint64(m.tokens)), number(qint64(m.context))) : QString();
}

QString ChatPage::help() const {
    return tr(
        "Ask the models of this project: a run's adapter as it is now, a checkpoint, or a base. Ctrl+Return sends, "
        "Esc stops. Compare With Base asks both with the same prompt and seed. Up and Down in the conversation "
        "choose a turn, Return shows what can be done with it: copy, regenerate, edit; Alt+Left and Alt+Right "
        "switch between its branches. While a run trains, its live adapter answers between two steps and the "
        "training is not changed by it. Chats are kept in the project.");
}

void ChatPage::focusSearch() {
    list_->setFocus(Qt::ShortcutFocusReason);
}

bool ChatPage::escape() {
    if (presenter_.answering()) {
        presenter_.stop();
        return true;
    }
    if (composer_->editing()) {
        composer_->leaveEdit();
        return true;
    }
    if (narrow_ && pane_->isVisible()) {
        pane_wanted_ = false;
        arrange();
        return true;
    }
    return false;
}

void ChatPage::arrange() {
    const int unit = characterWidth(font());
    const bool narrow = width() < 150 * unit;
    if (narrow != narrow_) pane_wanted_ = !narrow;
    narrow_ = narrow;
    pane_->setVisible(pane_wanted_);
    bar_->setSettingsToggle(narrow_ || !pane_wanted_, pane_wanted_);
}

void ChatPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    arrange();
}

QJsonObject ChatPage::saveState() const {
    QJsonObject state;
    if (const project::Chat* chat = presenter_.chat()) state[QStringLiteral("chat")] = text(chat->id);
    state[QStringLiteral("scroll")] = view_->verticalScrollBar()->value();
    state[QStringLiteral("pane")] = pane_wanted_;
    return state;
}

void ChatPage::restoreState(const QJsonObject& state) {
    wanted_chat_ = state[QStringLiteral("chat")].toString();
    wanted_scroll_ = state[QStringLiteral("scroll")].toInt(-1);
    pane_wanted_ = state[QStringLiteral("pane")].toBool(true);
    if (book_.isOpen()) openFromBook();
}

}  // namespace studio::ui
