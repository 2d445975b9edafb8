// How the presenter's chat reads: turns with their figures and words.
#include <algorithm>

#include "ui/chat/chat_presenter.h"
#include "ui/look/format.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

QString endText(const project::ChatReply& reply) {
    switch (reply.end) {
        case project::ChatEnd::Growing:
            return {};
        case project::ChatEnd::ByItself:
            return ChatPresenter::tr("stopped by itself");
        case project::ChatEnd::StopString:
            return ChatPresenter::tr("stopped at the next prompt's marker");
        case project::ChatEnd::MaxTokens:
            return ChatPresenter::tr("cut at %n token(s)", nullptr, reply.new_tokens);
        case project::ChatEnd::ContextFull:
            return ChatPresenter::tr("cut: the context is full");
        case project::ChatEnd::Stopped:
            return ChatPresenter::tr("stopped by you");
        case project::ChatEnd::RunEnded:
            return ChatPresenter::tr("cut: the run ended");
        case project::ChatEnd::Failed:
            return ChatPresenter::tr("no answer");
    }
    return {};
}

ReplyView ChatPresenter::view(const project::ChatReply& reply) const {
    ReplyView out;
    out.label = visibleText(text(reply.label));
    out.base = reply.base;
    out.text = text(reply.text);
    out.end = reply.end;
    out.error = text(reply.error);
    if (reply.end == project::ChatEnd::Growing) out.waiting = waiting_;
    if (reply.new_tokens > 0) {
        out.figures << tr("%n token(s)", nullptr, reply.new_tokens);
        const double seconds = reply.seconds - reply.first_token_seconds;
        if (reply.new_tokens > 1 && reply.first_token_seconds > 0 && seconds > 0) {
            const double rate = double(reply.new_tokens - 1) / seconds;
            out.figures << tr("%1 tok/s").arg(number(rate, rate < 10 ? 1 : 0));
        }
        if (reply.first_token_seconds > 0)
            out.figures << (reply.first_token_seconds < 1
                                ? tr("first after %1 ms").arg(number(qRound64(reply.first_token_seconds * 1000)))
                                : tr("first after %1 s").arg(number(reply.first_token_seconds, 1)));
        if (reply.dropped_turns > 0) out.figures << tr("without the oldest %n turn(s)", nullptr, reply.dropped_turns);
    }
    out.ending = endText(reply);
    if (reply.end == project::ChatEnd::Failed) {
        const bool busy =
            session_.runs().active() && std::any_of(shelf_.choices().begin(), shelf_.choices().end(),
                                                    [](const ModelChoice& choice) { return choice.live; });
        out.remedies = {TurnAction::TryAgain};
        if (busy) out.remedies.insert(out.remedies.begin(), TurnAction::UseRunsModel);
        out.remedies.push_back(TurnAction::OpenModels);
    }
    return out;
}

TurnView ChatPresenter::turn(int node) const {
    const project::ChatNode& n = chat_->nodes[static_cast<std::size_t>(node)];
    TurnView out;
    out.node = node;
    out.answer = n.answer;
    out.prompt = text(n.prompt);
    for (const project::ChatReply& reply : n.replies) out.replies.push_back(view(reply));
    const std::vector<int> siblings = chat_->siblings(node);
    out.branches = static_cast<int>(siblings.size());
    out.branch = static_cast<int>(std::find(siblings.begin(), siblings.end(), node) - siblings.begin());
    return out;
}

std::vector<TurnView> ChatPresenter::turns() const {
    std::vector<TurnView> out;
    if (!chat_) return out;
    for (const int node : chat_->path()) out.push_back(turn(node));
    return out;
}

}  // namespace studio::ui
