#include "ui/data/reading.h"

#include <QCoreApplication>
#include <algorithm>
#include <limits>

#include "ui/look/format.h"

namespace studio::ui {

QString roleText(corpus::Role role) {
    switch (role) {
        case corpus::Role::Prompter:
            return QCoreApplication::translate("Reading", "Prompter");
        case corpus::Role::Assistant:
            return QCoreApplication::translate("Reading", "Assistant");
        case corpus::Role::System:
            return QCoreApplication::translate("Reading", "System");
    }
    return {};
}

void Reading::show(std::shared_ptr<const corpus::Conversation> conversation, const QString& wanted,
                   const QString& branch) {
    conversation_ = std::move(conversation);
    verdicts_.clear();
    replies_.clear();
    chosen_.clear();
    path_.clear();
    current_ = -1;
    if (conversation_) {
        const auto n = conversation_->messages.size();
        replies_.resize(n + 1);
        chosen_.assign(n + 1, -1);
        for (std::size_t i = 0; i < n; ++i)
            replies_[static_cast<std::size_t>(conversation_->parents[i] + 1)].push_back(static_cast<int>(i));
        const auto find = [&](const QString& id) {
            for (std::size_t i = 0; i < n && !id.isEmpty(); ++i)
                if (text(conversation_->messages[i].message_id) == id) return static_cast<int>(i);
            return -1;
        };
        const int start = find(wanted);
        for (const int end : {find(branch), start})
            for (int i = end; i >= 0; i = parent(i)) chosen_[static_cast<std::size_t>(parent(i) + 1)] = i;
        followFrom(-1);
        current_ = start >= 0 ? start : path_.empty() ? -1 : path_.front();
    }
    Q_EMIT conversationChanged();
    Q_EMIT pathChanged();
    Q_EMIT currentChanged();
}

void Reading::setVerdicts(std::vector<corpus::Verdict> verdicts) {
    if (verdicts == verdicts_) return;
    verdicts_ = std::move(verdicts);
    Q_EMIT pathChanged();
}

const corpus::Message& Reading::message(int index) const {
    return conversation_->messages[static_cast<std::size_t>(index)];
}

std::optional<corpus::Verdict> Reading::verdict(int index) const {
    const auto i = static_cast<std::size_t>(index);
    return i < verdicts_.size() ? std::optional(verdicts_[i]) : std::nullopt;
}

int Reading::placeOnPath(int index) const {
    const auto found = std::find(path_.begin(), path_.end(), index);
    return found == path_.end() ? -1 : static_cast<int>(found - path_.begin());
}

int Reading::placeAmongSiblings(int index) const {
    const auto& all = siblings(index);
    return static_cast<int>(std::find(all.begin(), all.end(), index) - all.begin());
}

// As the path policy `best` reads a tree; deleted messages last, so that a branch worth reading comes first.
int Reading::bestOf(const std::vector<int>& replies) const {
    const auto weight = [&](int i) {
        const corpus::Message& m = message(i);
        return std::pair(m.deleted, m.rank.value_or(std::numeric_limits<int>::max()));
    };
    return *std::min_element(replies.begin(), replies.end(), [&](int a, int b) { return weight(a) < weight(b); });
}

// The path from its beginning, along what was chosen before and the best replies after `index`.
void Reading::followFrom(int index) {
    for (int at = index;;) {
        const auto& next = replies(at);
        if (next.empty()) break;
        int& chosen = chosen_[static_cast<std::size_t>(at + 1)];
        if (chosen < 0) chosen = bestOf(next);
        at = chosen;
    }
    path_.clear();
    for (int at = chosen_[0]; at >= 0; at = chosen_[static_cast<std::size_t>(at + 1)]) path_.push_back(at);
}

void Reading::setCurrent(int index) {
    if (empty() || index < 0 || index >= static_cast<int>(conversation_->messages.size())) return;
    const bool other_branch = placeOnPath(index) < 0;
    if (other_branch) {
        for (int i = index; i >= 0; i = parent(i)) chosen_[static_cast<std::size_t>(parent(i) + 1)] = i;
        followFrom(index);
    }
    if (!other_branch && index == current_) return;
    current_ = index;
    if (other_branch) Q_EMIT pathChanged();
    Q_EMIT currentChanged();
}

bool Reading::moveCurrent(int step) {
    if (current_ < 0) return false;
    const int place = placeOnPath(current_) + step;
    if (place < 0 || place >= static_cast<int>(path_.size())) return false;
    setCurrent(path_[static_cast<std::size_t>(place)]);
    return true;
}

bool Reading::switchBranch(int step) {
    return current_ >= 0 && switchBranchAt(current_, step);
}

bool Reading::switchBranchAt(int index, int step) {
    const auto& all = siblings(index);
    const int place = placeAmongSiblings(index) + step;
    if (place < 0 || place >= static_cast<int>(all.size())) return false;
    setCurrent(all[static_cast<std::size_t>(place)]);
    return true;
}

QString Reading::currentId() const {
    return current_ < 0 ? QString() : text(message(current_).message_id);
}

QString Reading::endId() const {
    return path_.empty() ? QString() : text(message(path_.back()).message_id);
}

QString Reading::asMarkdown() const {
    QString out;
    for (const int index : path_) {
        const corpus::Message& m = message(index);
        if (!out.isEmpty()) out += QStringLiteral("\n\n");
        out += QStringLiteral("**") + roleText(m.role) + QStringLiteral("**\n\n") + text(m.text).trimmed();
    }
    return out + QLatin1Char('\n');
}

}  // namespace studio::ui
