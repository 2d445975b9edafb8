#include "ui/chat/chat_presenter.h"

#include "ui/look/format.h"

namespace studio::ui {
namespace {

std::size_t at(int index) {
    return static_cast<std::size_t>(index);
}

project::ChatEnd endOf(const jobs::Answer& answer) {
    switch (answer.end) {
        case jobs::Answer::End::ByItself:
            return project::ChatEnd::ByItself;
        case jobs::Answer::End::StopString:
            return project::ChatEnd::StopString;
        case jobs::Answer::End::MaxTokens:
            return project::ChatEnd::MaxTokens;
        case jobs::Answer::End::ContextFull:
            return project::ChatEnd::ContextFull;
        case jobs::Answer::End::Stopped:
            break;
    }
    return project::ChatEnd::Stopped;
}

// The reply a side goes on from: its own, or the one there is.
const project::ChatReply& replyOf(const project::ChatNode& node, bool base) {
    for (const project::ChatReply& reply : node.replies)
        if (reply.base == base && !reply.text.empty()) return reply;
    return node.replies.front();
}

}  // namespace

ChatPresenter::ChatPresenter(Session& session, ChatBook& book, ModelShelf& shelf, QObject* parent)
    : QObject(parent), session_(session), book_(book), shelf_(shelf), service_(session) {
    connect(&book, &ChatBook::closing, this, [this] {
        stop();
        open(nullptr);
    });
    connect(&shelf, &ModelShelf::changed, this, [this] {
        if (chat_ && chat_->settings.model == project::ChatModel{} && shelf_.first())
            chat_->settings.model = shelf_.first()->key;
        Q_EMIT settingsChanged();
        askWhenFound();
    });
    connect(&service_, &ChatService::waiting, this, [this](const QString& why, const Progress& progress) {
        waiting_ = why;
        loading_ = progress;
        if (asked_) Q_EMIT turnChanged(asked_->node);
        Q_EMIT progressChanged();
    });
    connect(&service_, &ChatService::text, this, [this](int side, const QString& piece, int tokens, double seconds) {
        auto* replies = asked();
        if (!replies) return;
        project::ChatReply& reply = (*replies)[at(side)];
        reply.text += utf8(piece);
        reply.new_tokens = tokens;
        reply.seconds = seconds;
        const bool was_loading = !loading_.phase.empty();
        loading_ = {};
        waiting_ = tr("Reading the prompt…");
        book_.save(*book_.find(asked_->chat), true);
        Q_EMIT turnChanged(asked_->node);
        if (was_loading) Q_EMIT progressChanged();
    });
    connect(&service_, &ChatService::answered, this,
            [this](int side, const jobs::Answer& answer) { take(side, answer, endOf(answer)); });
    connect(&service_, &ChatService::cutByRun, this,
            [this](int side, const jobs::Answer& answer) { take(side, answer, project::ChatEnd::RunEnded); });
    connect(&service_, &ChatService::failed, this, [this](const Error& error) {
        if (auto* replies = asked())
            for (project::ChatReply& reply : *replies) {
                if (reply.end != project::ChatEnd::Growing) continue;
                reply.end = error.cancelled() ? project::ChatEnd::Stopped : project::ChatEnd::Failed;
                reply.error = error.text();
            }
        if (!error.cancelled() && error.code != ErrorCode::Busy)
            session_.messages().fail(QStringLiteral("chat-failed"), error, tr("Open Models"),
                                     [this] { Q_EMIT session_.go().showPage(PageId::Models); });
        finish();
    });
}

void ChatPresenter::open(project::Chat* chat) {
    if (chat_ == chat) return;
    if (waits_for_models_) stop();
    chat_ = chat;
    if (chat_ && chat_->settings.model == project::ChatModel{} && shelf_.first())
        chat_->settings.model = shelf_.first()->key;
    Q_EMIT chatChanged();
    Q_EMIT settingsChanged();
}

void ChatPresenter::startNew() {
    // One empty chat is enough.
    for (project::Chat* chat : book_.order())
        if (chat->nodes.empty() && chat->draft.empty() && chat->title.empty()) {
            if (chat_) chat->settings = chat_->settings;
            return open(chat);
        }
    project::ChatSettings settings = chat_ ? chat_->settings : project::ChatSettings{};
    if (!chat_ && shelf_.first()) settings.model = shelf_.first()->key;
    open(book_.create(settings));
}

void ChatPresenter::rename(project::Chat& chat, const QString& title) {
    chat.title = utf8(title.simplified());
    book_.save(chat);
    Q_EMIT book_.listChanged();
    if (&chat == chat_) Q_EMIT chatChanged();
}

const project::ChatSettings& ChatPresenter::settings() const {
    return chat_ ? chat_->settings : none_;
}

void ChatPresenter::setSettings(const project::ChatSettings& settings) {
    if (!chat_ || chat_->settings == settings) return;
    chat_->settings = settings;
    book_.save(*chat_, true);
    Q_EMIT settingsChanged();
    Q_EMIT book_.listChanged();
}

const ModelChoice* ChatPresenter::model() const {
    return chat_ ? shelf_.find(chat_->settings.model) : nullptr;
}

QString ChatPresenter::missingModel() const {
    const project::ChatModel& key = settings().model;
    if (model() || !shelf_.loaded() || key == project::ChatModel{}) return {};
    if (!key.run.empty()) return key.checkpoint.empty() ? text(key.run) : text(key.run + " · " + key.checkpoint);
    return pathText(std::filesystem::path(key.adapter.empty() ? key.base : key.adapter).filename());
}

bool ChatPresenter::canCompare() const {
    const ModelChoice* choice = model();
    return choice && choice->has_adapter;
}

std::vector<jobs::ChatTurn> ChatPresenter::turnsTo(int node, bool base) const {
    std::vector<int> chain;
    for (int i = node; i >= 0; i = chat_->nodes[at(i)].parent) chain.insert(chain.begin(), i);
    std::vector<jobs::ChatTurn> turns;
    if (!chat_->settings.system.empty()) turns.push_back({text::Role::System, chat_->settings.system});
    for (const int i : chain) {
        const project::ChatNode& n = chat_->nodes[at(i)];
        if (!n.answer) {
            turns.push_back({text::Role::Prompter, n.prompt});
        } else if (const std::string& reply = replyOf(n, base).text; !reply.empty()) {
            turns.push_back({text::Role::Assistant, reply});
        } else if (!turns.empty() && turns.back().role == text::Role::Prompter) {
            turns.pop_back();  // a prompt that was never answered
        }
    }
    return turns;
}

std::vector<jobs::ChatTurn> ChatPresenter::turnsFor(const QString& draft) const {
    if (!chat_) return {};
    const std::vector<int> path = chat_->path();
    const bool base = model() && !model()->has_adapter;
    auto turns = turnsTo(path.empty() ? -1 : path.back(), base);
    if (!draft.trimmed().isEmpty()) turns.push_back({text::Role::Prompter, utf8(draft.trimmed())});
    return turns;
}

int ChatPresenter::addAnswer(int prompt_node) {
    project::ChatNode node;
    node.answer = true;
    node.replies = newReplies(prompt_node, -1);
    return chat_->add(prompt_node, std::move(node));
}

// What `answer_node` (-1: a node to be added) is about to say below its prompt, one for each side.
std::vector<project::ChatReply> ChatPresenter::newReplies(int prompt_node, int answer_node) const {
    const project::ChatSettings& s = chat_->settings;
    const ModelChoice* choice = model();
    std::uint64_t same = 0;
    for (std::size_t i = 0; i < chat_->nodes.size(); ++i)
        same += chat_->nodes[i].parent == prompt_node && chat_->nodes[i].answer && static_cast<int>(i) != answer_node;
    std::vector<project::ChatReply> replies;
    project::ChatReply reply;
    reply.seed = s.seed + same;
    reply.base = choice && (!choice->has_adapter || s.strength == 0);
    reply.label = choice ? utf8(reply.base ? choice->base_label : choice->short_) : utf8(missingModel());
    if (choice && choice->live && !reply.base)
        if (const auto& live = session_.runs().live())
            reply.label = utf8(tr("%1 @ %2").arg(live->name, number(live->step)));
    reply.strength = choice && choice->has_adapter ? s.strength : 0;
    if (choice && choice->has_adapter && s.strength > 0 && s.strength < 1)
        reply.label = utf8(tr("%1, strength %2").arg(text(reply.label), number(s.strength, 2)));
    replies.push_back(reply);
    if (s.compare && canCompare() && !reply.base) {
        reply.base = true;
        reply.strength = 0;
        reply.label = utf8(choice->base_label);
        replies.push_back(reply);
    }
    return replies;
}

void ChatPresenter::send(const QString& prompt) {
    const QString words = prompt.trimmed();
    if (!chat_ || words.isEmpty() || answering()) return;
    const std::vector<int> path = chat_->path();
    project::ChatNode node;
    node.prompt = utf8(words);
    const int asked = chat_->add(path.empty() ? -1 : path.back(), std::move(node));
    chat_->draft.clear();
    ask(addAnswer(asked));
}

void ChatPresenter::edit(int prompt_node, const QString& prompt) {
    const QString words = prompt.trimmed();
    if (!chat_ || words.isEmpty() || answering()) return;
    project::ChatNode node;
    node.prompt = utf8(words);
    const int asked = chat_->add(chat_->nodes[at(prompt_node)].parent, std::move(node));
    ask(addAnswer(asked));
}

void ChatPresenter::regenerate(int answer_node) {
    if (!chat_ || answering() || answer_node < 0) return;
    const int parent = chat_->nodes[at(answer_node)].parent;
    if (parent >= 0) ask(addAnswer(parent));
}

void ChatPresenter::ask(int node) {
    asked_ = Asked{chat_->id, node};
    waits_for_models_ = !model() && shelf_.looking();
    waiting_ = waits_for_models_ ? tr("Looking for the models on this computer…") : tr("Waiting…");
    loading_ = {};
    book_.moveToFront(*chat_);
    book_.save(*chat_);
    Q_EMIT chatChanged();
    Q_EMIT progressChanged();
    if (waits_for_models_) return;  // askWhenFound() goes on
    const ModelChoice* choice = model();
    auto& replies = chat_->nodes[at(node)].replies;
    if (!choice) {
        const QString reason = shelf_.choices().empty()
                                   ? tr("There is no model on this computer that can be asked.")
                                   : tr("%1 is no longer there. Choose another model above.").arg(missingModel());
        for (project::ChatReply& reply : replies) {
            reply.end = project::ChatEnd::Failed;
            reply.error = utf8(reason);
        }
        return finish();
    }
    ChatQuestion question;
    question.run = choice->run;
    question.base = choice->base;
    question.newest = choice->newest || choice->live;
    question.template_name = choice->template_name;
    question.model.device = utf8(session_.settings().device());
    question.model.model_path = (choice->run.empty() ? choice->base : choice->run).string();
    question.model.adapter = choice->adapter.string();
    const project::ChatSettings& s = chat_->settings;
    for (const project::ChatReply& reply : replies) {
        ChatQuestion::Side side;
        side.turns = turnsTo(chat_->nodes[at(node)].parent, reply.base);
        side.options.max_new_tokens = s.max_new_tokens;
        side.options.temperature = s.temperature;
        side.options.top_p = s.top_p;
        side.options.top_k = s.top_k;
        side.options.repetition_penalty = s.repetition;
        side.options.seed = reply.seed;
        side.options.adapter_strength = choice->has_adapter ? reply.strength : 0;
        question.sides.push_back(std::move(side));
    }
    question.title = tr("Chatting with %1").arg(choice->short_);
    service_.ask(std::move(question));
}

void ChatPresenter::askWhenFound() {
    if (!waits_for_models_ || (!model() && shelf_.looking())) return;
    project::ChatNode& answer = chat_->nodes[at(asked_->node)];
    answer.replies = newReplies(answer.parent, asked_->node);  // who answers is known only now
    ask(asked_->node);
}

std::vector<project::ChatReply>* ChatPresenter::asked() {
    project::Chat* chat = asked_ ? book_.find(asked_->chat) : nullptr;
    return chat ? &chat->nodes[at(asked_->node)].replies : nullptr;
}

void ChatPresenter::take(int side, const jobs::Answer& answer, project::ChatEnd end) {
    auto* replies = asked();
    if (!replies) return finish();
    project::ChatReply& reply = (*replies)[at(side)];
    reply.end = end;
    reply.prompt_tokens = answer.prompt_tokens;
    reply.new_tokens = answer.new_tokens;
    reply.dropped_turns = answer.dropped_turns;
    reply.seconds = answer.seconds;
    reply.first_token_seconds = answer.first_token_seconds;
    if (std::any_of(replies->begin(), replies->end(),
                    [](const project::ChatReply& other) { return other.end == project::ChatEnd::Growing; })) {
        Q_EMIT turnChanged(asked_->node);
        return;
    }
    finish();
}

void ChatPresenter::finish() {
    if (!asked_) return;
    const Asked was = *asked_;
    waits_for_models_ = false;
    if (project::Chat* chat = book_.find(was.chat)) {
        for (project::ChatReply& reply : chat->nodes[at(was.node)].replies)
            if (reply.end == project::ChatEnd::Growing) reply.end = project::ChatEnd::Stopped;
        book_.save(*chat);
    }
    asked_.reset();
    loading_ = {};
    waiting_.clear();
    Q_EMIT turnChanged(was.node);
    Q_EMIT progressChanged();
    Q_EMIT chatChanged();
}

void ChatPresenter::stop() {
    if (!asked_) return;
    if (service_.busy())
        service_.stop();
    else
        finish();
}

void ChatPresenter::showSibling(int node, int delta) {
    if (!chat_ || answering() || node < 0 || node >= static_cast<int>(chat_->nodes.size())) return;
    const std::vector<int> siblings = chat_->siblings(node);
    const auto here = std::find(siblings.begin(), siblings.end(), node) - siblings.begin() + delta;
    if (here < 0 || here >= static_cast<std::ptrdiff_t>(siblings.size())) return;
    chat_->show(siblings[static_cast<std::size_t>(here)]);
    book_.save(*chat_);
    Q_EMIT chatChanged();
}

void ChatPresenter::act(TurnAction action, int node, int reply) {
    if (!chat_ || node < 0 || node >= static_cast<int>(chat_->nodes.size())) return;
    const project::ChatNode& n = chat_->nodes[at(node)];
    switch (action) {
        case TurnAction::Copy:
            Q_EMIT copyAsked(text(n.answer ? n.replies[std::min(at(reply), n.replies.size() - 1)].text : n.prompt));
            break;
        case TurnAction::Regenerate:
        case TurnAction::TryAgain:
            regenerate(node);
            break;
        case TurnAction::Edit:
            if (!n.answer && !answering()) Q_EMIT editAsked(node);
            break;
        case TurnAction::Previous:
            showSibling(node, -1);
            break;
        case TurnAction::Next:
            showSibling(node, 1);
            break;
        case TurnAction::UseRunsModel: {
            for (const ModelChoice& choice : shelf_.choices()) {
                if (!choice.live) continue;
                project::ChatSettings s = chat_->settings;
                s.model = choice.key;
                setSettings(s);
                regenerate(node);
                break;
            }
            break;
        }
        case TurnAction::OpenModels:
            Q_EMIT session_.go().showPage(PageId::Models);
            break;
    }
}

}  // namespace studio::ui
