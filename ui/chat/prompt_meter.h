// What would be sent to the model, to the token: text in its parts, length, and what no longer fits.
#pragma once

#include <QObject>
#include <QPointer>
#include <QTimer>
#include <map>
#include <memory>

#include "jobs/chat.h"
#include "ui/session/session.h"

namespace studio::ui {

struct PromptPart {
    QString text;
    text::SpanKind kind = text::SpanKind::Marker;
    bool end = false;  // the EOS
};

struct PromptMeasure {
    std::vector<PromptPart> parts;
    int tokens = 0, context = 0, dropped_turns = 0;
    QString template_name;
    std::optional<Error> error;  // a prompt that does not fit, a tokenizer that cannot be read
};

struct PromptToMeasure {
    std::filesystem::path base;
    std::string template_name;
    std::vector<jobs::ChatTurn> turns;
    int max_new_tokens = 256;
};

class PromptMeter : public QObject {
    Q_OBJECT
  public:
    explicit PromptMeter(Session& session, QObject* parent = nullptr);
    // The newest question counts; answers come within a moment, on the files thread's time.
    void measure(PromptToMeasure prompt);
    const PromptMeasure& last() const { return last_; }

  Q_SIGNALS:
    void measured();

  private:
    void start();
    Session& session_;
    QTimer timer_;
    QPointer<Task> task_;
    PromptToMeasure next_;
    PromptMeasure last_;
    struct Known;
    std::shared_ptr<Known> known_;  // tokenizers by folder, used on the files thread
};

}  // namespace studio::ui
