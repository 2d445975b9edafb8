// What the Chat page does, without widgets: the chat in hand, sending, branches, answers as they grow.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <optional>

#include "ui/chat/chat_book.h"
#include "ui/chat/chat_service.h"
#include "ui/chat/model_shelf.h"
#include "ui/chat/turn_layout.h"

namespace studio::ui {

class ChatPresenter : public QObject {
    Q_OBJECT
  public:
    ChatPresenter(Session& session, ChatBook& book, ModelShelf& shelf, QObject* parent = nullptr);

    project::Chat* chat() const { return chat_; }
    void open(project::Chat* chat);  // null: none
    void startNew();
    void rename(project::Chat& chat, const QString& title);

    // Settings of the chat in hand.
    const project::ChatSettings& settings() const;
    void setSettings(const project::ChatSettings& settings);
    const ModelChoice* model() const;  // null: what the chat was made with is not there (any more)
    QString missingModel() const;      // its name then
    bool canCompare() const;

    bool answering() const { return asked_.has_value(); }
    void send(const QString& prompt);
    void edit(int prompt_node, const QString& prompt);  // as a branch of its own
    void regenerate(int answer_node);
    void stop();
    void showSibling(int node, int delta);
    void act(TurnAction action, int node, int reply);

    std::vector<TurnView> turns() const;
    TurnView turn(int node) const;
    // What the model is given when `draft` is sent now; without one, what it was given last.
    std::vector<jobs::ChatTurn> turnsFor(const QString& draft) const;
    // Fraction of the loading, where it is known; empty phase: nothing loads.
    const Progress& loading() const { return loading_; }
    const QString& waiting() const { return waiting_; }

  Q_SIGNALS:
    void chatChanged();      // another chat, or its turns
    void settingsChanged();  // of the chat in hand, or the model behind them
    void turnChanged(int node);
    void progressChanged();  // loading, answering
    void copyAsked(const QString& text);
    void editAsked(int node);

  private:
    struct Asked {
        std::string chat;
        int node = -1;
    };
    void ask(int node);  // all its sides at once
    void askWhenFound();
    void finish();
    std::vector<project::ChatReply>* asked();  // replies of the answer that grows
    void take(int side, const jobs::Answer& answer, project::ChatEnd end);
    int addAnswer(int prompt_node);
    std::vector<project::ChatReply> newReplies(int prompt_node, int answer_node) const;
    std::vector<jobs::ChatTurn> turnsTo(int node, bool base) const;
    ReplyView view(const project::ChatReply& reply) const;

    Session& session_;
    ChatBook& book_;
    ModelShelf& shelf_;
    ChatService service_;
    project::Chat* chat_ = nullptr;
    project::ChatSettings none_;
    std::optional<Asked> asked_;
    bool waits_for_models_ = false;  // asked_ goes to the service once the shelf knows its model
    QString waiting_;
    Progress loading_;
};

QString endText(const project::ChatReply& reply);

}  // namespace studio::ui
