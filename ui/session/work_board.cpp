#include "ui/session/work_board.h"

#include <algorithm>
#include <utility>

namespace studio::ui {

void WorkBoard::tell(LongWork work) {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const LongWork& w) { return w.id == work.id; });
    if (found == all_.end())
        all_ << std::move(work);
    else
        *found = std::move(work);
    Q_EMIT changed();
}

void WorkBoard::end(const QString& id) {
    if (all_.removeIf([&](const LongWork& w) { return w.id == id; }) > 0) Q_EMIT changed();
}

void WorkBoard::stopAll() {
    // A copy: what stops leaves the list.
    for (const QList<LongWork> now = all_; const LongWork& work : now) work.stop();
}

}  // namespace studio::ui
