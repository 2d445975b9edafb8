#include "ui/chat/chat_page.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QScrollBar>

#include "io/file.h"
#include "jobs/starter_prompts.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

ChatPage::ChatPage(Session& session, QWidget* parent)
    : Page(PageId::Chat, session, parent),
      book_(session),
      shelf_(session),
      presenter_(session, book_, shelf_),
      meter_(session) {
    build();
    buildActions();
    connectAll();
    showChat();
    showSettings();
    showProgress();
}

void ChatPage::connectAll() {
    const auto leave_project = [this] {
        presenter_.open(nullptr);
        composer_->setText({});
    };
    connect(&session(), &Session::projectOpened, this, [this, leave_project] {
        leave_project();
        if (active_) activated();
    });
    connect(&session(), &Session::projectClosed, this, leave_project);
    connect(&session(), &Session::corpusChanged, this, [this] {
        starters_key_.clear();
        if (active_) fetchStarters();
    });
    connect(&book_, &ChatBook::loaded, this, &ChatPage::openFromBook);
    connect(&book_, &ChatBook::listChanged, this, [this] {
        const QSignalBlocker quiet(list_->selectionModel());
        if (presenter_.chat()) list_->setCurrentIndex(list_model_->indexOf(presenter_.chat()->id));
        list_->viewport()->update();
        enableActions();
    });
    connect(&shelf_, &ModelShelf::changed, this, [this] {
        bar_->setChoices(shelf_.choices(), shelf_.loaded());
        if (wanted_model_ && book_.isOpen()) askFor(*std::exchange(wanted_model_, std::nullopt));
        showSettings();
        showChat();
        fetchStarters();
    });

    connect(&presenter_, &ChatPresenter::chatChanged, this, &ChatPage::showChat);
    connect(&presenter_, &ChatPresenter::settingsChanged, this, &ChatPage::showSettings);
    connect(&presenter_, &ChatPresenter::progressChanged, this, &ChatPage::showProgress);
    connect(&presenter_, &ChatPresenter::turnChanged, this, [this](int node) {
        if (presenter_.chat() && node < static_cast<int>(presenter_.chat()->nodes.size()))
            view_->updateTurn(presenter_.turn(node));
    });
    connect(&presenter_, &ChatPresenter::copyAsked, this,
            [](const QString& text) { QApplication::clipboard()->setText(text); });
    connect(&presenter_, &ChatPresenter::editAsked, this, [this](int node) {
        edited_node_ = node;
        composer_->beginEdit(text(presenter_.chat()->nodes[static_cast<std::size_t>(node)].prompt));
    });
    connect(&meter_, &PromptMeter::measured, this, [this] {
        pane_->setMeasure(meter_.last(), presenter_.settings().max_new_tokens);
        Q_EMIT statusChanged();
    });

    connect(list_->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
        if (!index.isValid()) return;
        if (project::Chat* chat = book_.find(utf8(index.data(ChatListModel::IdRole).toString()))) presenter_.open(chat);
    });
    connect(list_model_, &QAbstractItemModel::modelReset, this, [this] {
        const QSignalBlocker quiet(list_->selectionModel());
        if (presenter_.chat()) list_->setCurrentIndex(list_model_->indexOf(presenter_.chat()->id));
    });
    connect(list_model_, &ChatListModel::renamed, this, [this](const QString& id, const QString& title) {
        if (project::Chat* chat = book_.find(utf8(id))) presenter_.rename(*chat, title);
    });
    connect(bar_, &ModelBar::modelChosen, this, [this](const project::ChatModel& key) {
        project::ChatSettings s = presenter_.settings();
        s.model = key;
        presenter_.setSettings(s);
    });
    connect(bar_, &ModelBar::strengthChosen, this, [this](double strength) {
        project::ChatSettings s = presenter_.settings();
        s.strength = strength;
        presenter_.setSettings(s);
    });
    connect(bar_, &ModelBar::compareChosen, this, [this](bool on) {
        project::ChatSettings s = presenter_.settings();
        s.compare = on;
        presenter_.setSettings(s);
    });
    connect(bar_, &ModelBar::settingsToggled, this, [this](bool on) {
        pane_wanted_ = on;
        arrange();
    });
    connect(pane_, &ChatSettingsPane::edited, this, [this](project::ChatSettings edited) {
        const project::ChatSettings& now = presenter_.settings();
        edited.model = now.model;
        edited.strength = now.strength;
        edited.compare = now.compare;
        presenter_.setSettings(edited);
    });
    connect(starters_, &Starters::chosen, this, [this](const QString& prompt) {
        presenter_.send(prompt);
        composer_->setFocusToText();
    });
    connect(view_, &ChatView::action, &presenter_, &ChatPresenter::act);
    connect(view_, &ChatView::copyText, this, [](const QString& text) { QApplication::clipboard()->setText(text); });
    connect(composer_, &Composer::sendAsked, this, &ChatPage::send);
    connect(composer_, &Composer::stopAsked, &presenter_, &ChatPresenter::stop);
    connect(composer_, &Composer::editLeft, this, [this] { edited_node_ = -1; });
    connect(composer_, &Composer::textChanged, this, [this] {
        if (project::Chat* chat = presenter_.chat(); chat && !composer_->editing()) {
            chat->draft = utf8(composer_->text());
            book_.save(*chat, true);
        }
        measure();
    });

    connect(&session().go(), &Navigator::chatWith, this, [this](const QString& run, const QString& checkpoint) {
        project::ChatModel key;
        key.run = path(run).filename().string();
        key.checkpoint = path(checkpoint).filename().string();
        askFor(key);
    });
    connect(&session().go(), &Navigator::chatWithBase, this, [this](const QString& folder) {
        project::ChatModel key;
        key.base = utf8(folder);
        askFor(key);
    });
    connect(&session().go(), &Navigator::chatWithAdapter, this, [this](const QString& base, const QString& adapter) {
        project::ChatModel key;
        key.base = utf8(base);
        key.adapter = utf8(adapter);
        askFor(key);
    });
}

// A chat with this model: the one at hand where it is empty, else a new one. Waits until both lists are read.
void ChatPage::askFor(const project::ChatModel& key) {
    if (!book_.isOpen() || !shelf_.loaded()) {
        wanted_model_ = key;
        return;
    }
    const ModelChoice* choice = shelf_.adopt(key);
    if (!presenter_.chat() || !presenter_.chat()->nodes.empty()) presenter_.startNew();
    project::ChatSettings s = presenter_.settings();
    s.model = choice ? choice->key : key;
    presenter_.setSettings(s);
    composer_->setFocusToText();
}

void ChatPage::activated() {
    active_ = true;
    if (!isAncestorOf(QApplication::focusWidget())) composer_->setFocusToText();
    if (!session().hasProject()) return;
    shelf_.refresh();
    if (!book_.isOpen()) book_.open();
    fetchStarters();
}

void ChatPage::openFromBook() {
    // Words that were typed while the chats were read go on in the chat that opens.
    const QString early = presenter_.chat() ? QString() : composer_->text();
    project::Chat* chat = book_.find(utf8(wanted_chat_));
    if (!chat && !book_.order().empty()) chat = book_.order().front();
    if (chat)
        presenter_.open(chat);
    else
        presenter_.startNew();
    if (!early.isEmpty()) composer_->setText(composer_->text() + early);
    if (wanted_scroll_ >= 0) view_->verticalScrollBar()->setValue(std::exchange(wanted_scroll_, -1));
    if (wanted_model_ && shelf_.loaded()) askFor(*std::exchange(wanted_model_, std::nullopt));
}

void ChatPage::showChat() {
    const project::Chat* chat = presenter_.chat();
    if (composer_->editing() && edited_node_ >= 0 && (!chat || presenter_.answering())) composer_->leaveEdit();
    view_->setTurns(presenter_.turns());
    if (chat && !composer_->editing()) composer_->setText(text(chat->draft));
    const bool empty = !chat || chat->nodes.empty();
    if (shelf_.loaded() && shelf_.choices().empty())
        stack_->setCurrentWidget(no_model_);
    else if (!chat && session().hasProject())
        stack_->setCurrentWidget(unread_);
    else if (empty)
        stack_->setCurrentWidget(starters_);
    else
        stack_->setCurrentWidget(view_);
    if (chat) {
        const QSignalBlocker quiet(list_->selectionModel());
        list_->setCurrentIndex(list_model_->indexOf(chat->id));
        list_->viewport()->update();
    }
    enableActions();
    measure();
    Q_EMIT subjectChanged();
    Q_EMIT statusChanged();
}

void ChatPage::showSettings() {
    const ModelChoice* model = presenter_.model();
    bar_->setSettings(presenter_.settings(), model && model->has_adapter, presenter_.missingModel());
    bar_->setAnswering(presenter_.answering());
    pane_->setSettings(presenter_.settings());
    pane_->setMeasure(meter_.last(), presenter_.settings().max_new_tokens);
    starters_->setModel(model ? model->short_ : QString());
    composer_->setBlocked(!session().hasProject()                          ? tr("Open a project first.")
                          : !presenter_.chat()                             ? tr("The chats are being read.")
                          : !model && shelf_.loaded() && !shelf_.looking() ? tr("Choose a model first.")
                                                                           : QString());
    {
        const QSignalBlocker quiet(compare_);
        compare_->setChecked(presenter_.settings().compare && presenter_.canCompare());
    }
    enableActions();
    measure();
    fetchStarters();
    Q_EMIT statusChanged();
}

void ChatPage::showProgress() {
    composer_->setAnswering(presenter_.answering());
    bar_->setAnswering(presenter_.answering());
    const Progress& p = presenter_.loading();
    const bool loads = presenter_.answering() && !p.phase.empty();
    loading_->setVisible(loads);
    if (loads) {
        const ModelChoice* model = presenter_.model();
        loading_text_->setText(model ? tr("%1: %2").arg(model->short_, text(p.phase)) : text(p.phase));
        loading_bar_->setRange(0, p.total > 0 ? 1000 : 0);
        if (p.total > 0) loading_bar_->setValue(static_cast<int>(1000.0 * double(p.done) / double(p.total)));
    }
    enableActions();
    Q_EMIT statusChanged();
}

void ChatPage::measure() {
    const ModelChoice* model = presenter_.model();
    if (!active_ || !model || model->base.empty()) return;
    meter_.measure({model->base, model->template_name, presenter_.turnsFor(composer_->text()),
                    presenter_.settings().max_new_tokens});
}

void ChatPage::send() {
    const QString words = composer_->text();
    if (composer_->editing() && edited_node_ >= 0) {
        const int node = std::exchange(edited_node_, -1);
        composer_->leaveEdit();
        presenter_.edit(node, words);
        return;
    }
    presenter_.send(words);
}

void ChatPage::fetchStarters() {
    const ModelChoice* model = presenter_.model();
    const project::Chat* chat = presenter_.chat();
    if (!active_ || !model || !session().hasProject() || !chat || !chat->nodes.empty()) return;
    const QString key = pathText(model->base);
    if (key == starters_key_) return;
    starters_key_ = key;
    const auto request =
        jobs::dataRequest(session().recipe().recipe(), session().recipe().configFile(), model->base, 0);
    if (starters_task_) starters_task_->cancel();
    starters_task_ = session().surveys().run<jobs::StarterPrompts>(
        this,
        [request, corpus = session().paths().corpus()](const JobContext& job) -> Result<jobs::StarterPrompts> {
            return jobs::starterPrompts(request, corpus, 3, job);
        },
        [this](Result<jobs::StarterPrompts> result) {
            if (!result) return;
            QStringList prompts;
            for (const std::string& prompt : result->prompts) prompts << visibleText(text(prompt));
            starters_->setPrompts(prompts, result->held_out);
        });
}

int ChatPage::lastAnswer() const {
    const project::Chat* chat = presenter_.chat();
    if (!chat) return -1;
    const int current = view_->currentNode();
    if (current >= 0 && current < static_cast<int>(chat->nodes.size()) &&
        chat->nodes[static_cast<std::size_t>(current)].answer)
        return current;
    const std::vector<int> shown = chat->path();
    return !shown.empty() && chat->nodes[static_cast<std::size_t>(shown.back())].answer ? shown.back() : -1;
}

void ChatPage::removeCurrent() {
    const project::Chat* chat = presenter_.chat();
    if (!chat) return;
    if (presenter_.answering()) presenter_.stop();
    const std::string id = chat->id;
    presenter_.open(nullptr);
    book_.remove(id);
    if (book_.order().empty())
        presenter_.startNew();
    else
        presenter_.open(book_.order().front());
}

void ChatPage::copyChat() {
    if (presenter_.chat()) QApplication::clipboard()->setText(text(project::chatMarkdown(*presenter_.chat())));
}

void ChatPage::exportChat() {
    const project::Chat* chat = presenter_.chat();
    if (!chat || chat->nodes.empty()) return;
    auto* dialog = new QFileDialog(this, tr("Export the Chat as Markdown"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setNameFilter(tr("Markdown (*.md)"));
    dialog->setDefaultSuffix(QStringLiteral("md"));
    dialog->selectFile(text(project::chatTimeNow()).left(10) + QStringLiteral(" chat.md"));
    connect(
        dialog, &QFileDialog::fileSelected, this, [this, markdown = project::chatMarkdown(*chat)](const QString& file) {
            session().files().run<void>(
                this, [file = path(file), markdown](const JobContext&) { return io::writeFileAtomic(file, markdown); },
                [this, file](Result<void> result) {
                    if (!result)
                        session().messages().fail(QStringLiteral("chat-export"), result.error());
                    else
                        session().messages().info(QStringLiteral("chat-export"),
                                                  tr("The chat is written to %1.").arg(file));
                });
        });
    dialog->open();
}

}  // namespace studio::ui
