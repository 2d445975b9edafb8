// Asks models on the engine thread: the loaded one, or between the steps of the run at work.
#pragma once

#include <QObject>
#include <QPointer>
#include <QTimer>
#include <filesystem>
#include <memory>
#include <optional>

#include "jobs/chat.h"
#include "jobs/model_folder.h"
#include "ui/session/session.h"

namespace studio::ui {

// One prompt to a model, answered once or by several sides that grow together.
struct ChatQuestion {
    struct Side {
        std::vector<jobs::ChatTurn> turns;
        jobs::SamplingOptions options;  // adapter_strength 0: the base
    };

    jobs::ModelRequest model;    // as it is loaded where no run is at work
    std::filesystem::path run;   // whose adapter is asked; empty: of no run of the project
    std::filesystem::path base;  // the base it stands on
    bool newest = false;         // the run's newest state: its live adapter while it is at work
    std::string template_name;
    std::vector<Side> sides;
    QString title;  // "Chatting with studio-r16"
};

class ChatService : public QObject {
    Q_OBJECT
  public:
    explicit ChatService(Session& session, QObject* parent = nullptr);
    ~ChatService() override;

    // One question at a time; while busy() nothing is taken.
    void ask(ChatQuestion question);
    // What was shown stays; the answers count as stopped at once, the engine follows within a token.
    void stop();
    bool busy() const { return shared_ != nullptr; }
    // Whether the question would go to the live adapter (or its base).
    bool isLive(const ChatQuestion& question) const;
    // Why it cannot be asked now; nullopt: it can. `waits`: it can once the run makes steps.
    std::optional<Error> refusal(const ChatQuestion& question, bool* waits = nullptr) const;

  Q_SIGNALS:
    void waiting(const QString& why, const studio::Progress& progress);     // before the first token
    void text(int side, const QString& piece, int tokens, double seconds);  // at most 30 a second
    void answered(int side, const studio::jobs::Answer& answer);            // also when stopped
    void cutByRun(int side, const studio::jobs::Answer& answer);
    void failed(const studio::Error& error);  // of all sides that were not answered

  private:
    struct Shared;
    class Growth;
    class Live;
    void askLoaded(ChatQuestion question);
    void askLive(ChatQuestion question);
    void drain();
    // What every unfinished side has so far, told as cut.
    void cut(void (ChatService::*tell)(int, const jobs::Answer&));
    void finish();
    void runEnded();

    Session& session_;
    std::shared_ptr<Shared> shared_;
    QPointer<Task> task_;
    QTimer timer_;
    bool live_ = false;
    std::optional<ChatQuestion> waiting_for_run_;
};

}  // namespace studio::ui
