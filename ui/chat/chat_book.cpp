#include "ui/chat/chat_book.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kLazy_ms = 1500;
constexpr std::chrono::seconds kFlush{3};

}  // namespace

ChatBook::ChatBook(Session& session, QObject* parent) : QObject(parent), session_(session) {
    lazy_.setSingleShot(true);
    lazy_.setInterval(kLazy_ms);
    connect(&lazy_, &QTimer::timeout, this, [this] {
        for (const std::string& id : std::exchange(dirty_, {}))
            if (project::Chat* chat = find(id)) write(*chat);
    });
    connect(&session, &Session::projectClosed, this, &ChatBook::close);
}

ChatBook::~ChatBook() {
    flush();
}

void ChatBook::open() {
    close();
    if (!session_.hasProject()) return;
    project_ = session_.paths().folder;
    session_.files().run<project::ChatList>(
        this, [folder = session_.paths().chats()](const JobContext&) { return project::listChats(folder); },
        [this, folder = project_](Result<project::ChatList> list) {
            if (!list || folder != project_) return;
            for (project::Chat& chat : list->chats) {
                on_disk_.insert(chat.id);
                chats_.push_back(std::make_unique<project::Chat>(std::move(chat)));
                order_.push_back(chats_.back().get());
            }
            if (!list->notes.empty()) {
                Message message;
                message.kind = Message::Kind::Careful;
                message.id = QStringLiteral("chats-unread");
                message.what = tr("%n chat(s) could not be read.", nullptr, static_cast<int>(list->notes.size()));
                message.to_do = text(list->notes.front());
                for (const std::string& note : list->notes) message.details += text(note) + QLatin1Char('\n');
                session_.messages().show(std::move(message));
            }
            open_ = true;
            Q_EMIT loaded();
            Q_EMIT listChanged();
        });
}

void ChatBook::close() {
    Q_EMIT closing();
    flush();
    on_disk_.clear();
    open_ = false;
    project_.clear();
    order_.clear();
    chats_.clear();
    removed_.clear();
    Q_EMIT listChanged();
}

project::Chat* ChatBook::find(const std::string& id) const {
    const auto found = std::find_if(chats_.begin(), chats_.end(), [&](const auto& chat) { return chat->id == id; });
    return found == chats_.end() ? nullptr : found->get();
}

project::Chat* ChatBook::create(const project::ChatSettings& settings) {
    auto chat = std::make_unique<project::Chat>();
    chat->id = project::newChatId();
    chat->created = chat->changed = project::chatTimeNow();
    chat->settings = settings;
    chats_.push_back(std::move(chat));
    order_.push_front(chats_.back().get());
    Q_EMIT listChanged();
    return chats_.back().get();
}

void ChatBook::save(project::Chat& chat, bool lazy) {
    // An empty chat is no file; one that was written and emptied is written once more.
    const bool empty = chat.nodes.empty() && chat.draft.empty() && chat.title.empty();
    if (empty && !on_disk_.contains(chat.id)) return;
    if (!lazy) return write(chat);
    dirty_.insert(chat.id);
    if (!lazy_.isActive()) lazy_.start();
}

void ChatBook::write(project::Chat& chat) {
    if (project_.empty()) return;
    dirty_.erase(chat.id);
    on_disk_.insert(chat.id);
    ++unconfirmed_;
    // The copy is what is written; what is changed meanwhile is written next.
    session_.files().run<void>(
        this,
        [folder = project::projectPaths(project_).chats(), copy = chat](const JobContext&) {
            return project::saveChat(folder, copy);
        },
        [this](Result<void> result) {
            --unconfirmed_;
            if (!result)
                session_.messages().fail(QStringLiteral("chat-save"), result.error());
            else
                session_.messages().dismiss(QStringLiteral("chat-save"));
        });
}

void ChatBook::moveToFront(project::Chat& chat) {
    chat.changed = project::chatTimeNow();
    order_.erase(std::remove(order_.begin(), order_.end(), &chat), order_.end());
    order_.push_front(&chat);
    Q_EMIT listChanged();
}

void ChatBook::remove(const std::string& id) {
    const auto found = std::find_if(chats_.begin(), chats_.end(), [&](const auto& chat) { return chat->id == id; });
    if (found == chats_.end()) return;
    project::Chat* chat = found->get();
    dirty_.erase(id);
    order_.erase(std::remove(order_.begin(), order_.end(), chat), order_.end());
    const bool on_disk = on_disk_.erase(id) > 0;
    const QString heading = text(chat->heading());
    removed_.push_back(std::move(*found));
    chats_.erase(found);
    Q_EMIT listChanged();
    if (!on_disk) return;
    session_.files().run<void>(
        this, [folder = project_, id](const JobContext&) { return project::trashChat(folder, id); },
        [this](Result<void> result) {
            if (!result && result.error().code != ErrorCode::NotFound)
                session_.messages().fail(QStringLiteral("chat-trash"), result.error());
        });
    Message message;
    message.id = QStringLiteral("chat-removed");
    message.what = tr("The chat “%1” is in the project's trash.").arg(heading.isEmpty() ? tr("New chat") : heading);
    message.action = tr("Undo");
    message.act = [this, id] { undoRemove(id); };
    session_.messages().show(std::move(message));
}

void ChatBook::undoRemove(std::string id) {
    const auto found = std::find_if(removed_.begin(), removed_.end(), [&](const auto& chat) { return chat->id == id; });
    if (found == removed_.end()) return;
    chats_.push_back(std::move(*found));
    removed_.erase(found);
    on_disk_.insert(id);
    project::Chat* chat = chats_.back().get();
    order_.push_back(chat);
    std::stable_sort(order_.begin(), order_.end(),
                     [](const project::Chat* a, const project::Chat* b) { return a->changed > b->changed; });
    session_.messages().dismiss(QStringLiteral("chat-removed"));
    session_.files().run<void>(
        this, [folder = project_, id](const JobContext&) { return project::restoreChat(folder, id); },
        [this](Result<void> result) {
            if (!result) session_.messages().fail(QStringLiteral("chat-trash"), result.error());
        });
    Q_EMIT listChanged();
}

void ChatBook::flush() {
    if (project_.empty() || (dirty_.empty() && unconfirmed_ == 0)) return;
    lazy_.stop();
    for (const std::string& id : std::exchange(dirty_, {}))
        if (const project::Chat* chat = find(id))
            session_.files().post([folder = project::projectPaths(project_).chats(), copy = *chat] {
                (void)project::saveChat(folder, copy);
            });
    // Writes that were asked for before are ahead in the queue, and are dropped with it if it ends.
    auto done = std::make_shared<std::promise<void>>();
    auto reached = done->get_future();
    session_.files().post([done] { done->set_value(); });
    reached.wait_for(kFlush);
}

}  // namespace studio::ui
