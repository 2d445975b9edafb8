// One conversation being read: which of its branches is shown and which message is looked at.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <optional>
#include <vector>

#include "corpus/catalogue.h"
#include "corpus/conversation.h"

namespace studio::ui {

class Reading : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;

    // `wanted`: a message to be shown; empty or unknown: the best replies' branch, its first message. `branch`: a
    // message at or below it.
    void show(std::shared_ptr<const corpus::Conversation> conversation, const QString& wanted = {},
              const QString& branch = {});
    void clear() { show(nullptr); }
    // What the filter makes of each message; indices as in the conversation. May be empty.
    void setVerdicts(std::vector<corpus::Verdict> verdicts);

    bool empty() const { return !conversation_; }
    const corpus::Conversation& conversation() const { return *conversation_; }
    const corpus::Message& message(int index) const;
    int parent(int index) const { return conversation_->parents[static_cast<std::size_t>(index)]; }
    std::optional<corpus::Verdict> verdict(int index) const;

    const std::vector<int>& path() const { return path_; }  // from the first message to the branch's end
    int placeOnPath(int index) const;                       // −1: on another branch
    int current() const { return current_; }                // −1: nothing is shown
    // Replies to `index`; of −1 the messages that nothing stands above.
    const std::vector<int>& replies(int index) const { return replies_[static_cast<std::size_t>(index + 1)]; }
    const std::vector<int>& siblings(int index) const { return replies(parent(index)); }
    int placeAmongSiblings(int index) const;

    void setCurrent(int index);   // on another branch: shows that one
    bool moveCurrent(int step);   // along the path
    bool switchBranch(int step);  // to a sibling of the current message
    bool switchBranchAt(int index, int step);

    QString currentId() const;
    QString endId() const;  // of the branch's last message
    // As text with a heading a turn, of the branch that is shown.
    QString asMarkdown() const;

  Q_SIGNALS:
    void conversationChanged();
    void pathChanged();
    void currentChanged();

  private:
    void followFrom(int index);
    int bestOf(const std::vector<int>& replies) const;

    std::shared_ptr<const corpus::Conversation> conversation_;
    std::vector<corpus::Verdict> verdicts_;
    std::vector<std::vector<int>> replies_;  // [index + 1]
    std::vector<int> chosen_;                // [index + 1]: the reply that is shown, −1: none
    std::vector<int> path_;
    int current_ = -1;
};

// "Prompter", "Assistant", "System".
QString roleText(corpus::Role role);

}  // namespace studio::ui
