// What the Data page says about itself and what it remembers.
#include <QJsonArray>
#include <QListView>
#include <QScrollBar>
#include <QSplitter>

#include "ui/data/data_page.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

QString packed(const QSplitter* splitter) {
    return QString::fromLatin1(splitter->saveState().toBase64());
}

void unpack(QSplitter* splitter, const QJsonValue& state) {
    if (state.isString()) splitter->restoreState(QByteArray::fromBase64(state.toString().toLatin1()));
    splitter->setHandleWidth(1);
}

}  // namespace

QString DataPage::subject() const {
    return {};
}

QString DataPage::status() const {
    const auto listing = library_.listing();
    if (!listing || listing->catalogue->trees().empty()) return {};
    const auto trees = static_cast<qint64>(listing->catalogue->trees().size());
    const auto messages = static_cast<qint64>(listing->catalogue->entries().size());
    return tr("%1 conversations · %2 messages · %3 ms")
        .arg(number(trees), number(messages), number(static_cast<qint64>(listing->milliseconds + 0.5)));
}

QString DataPage::statusRight() const {
    const auto listing = library_.listing();
    if (!listing || listing->selection->verdicts.empty()) return {};
    const qint64 left_out = listing->selection->left_out.total();
    return left_out > 0 ? tr("%1 messages left out").arg(number(left_out)) : QString();
}

QString DataPage::help() const {
    return tr(
        "Here are the project's conversations as trees of messages. Import files with Ctrl+I or drop them on the "
        "window. Type a filter (Ctrl+F; Ctrl+Space offers its words, Up and Down go through earlier ones), or "
        "press a language, a bar or a chip. “Train on these” writes the filter into the recipe.\n\n"
        "In the reader Up and Down move between messages, Left and Right between the replies to the same "
        "message, Ctrl+C copies. Ctrl + and Ctrl − change the size of the text. Ctrl+P shows the proof sheet: "
        "the tokens as the trainer has them.");
}

QJsonObject DataPage::saveState() const {
    QJsonObject state;
    state[QLatin1String("filter")] = filter();
    state[QLatin1String("scope")] = static_cast<int>(list_->scope());
    state[QLatin1String("sort")] = static_cast<int>(list_->sort());
    state[QLatin1String("history")] = QJsonArray::fromStringList(list_->filterBox()->history());
    // The branch is that of the message looked at; where that is above its end, the end names it.
    state[QLatin1String("message")] = wanted_.isEmpty() ? reader_->reading().currentId() : wanted_;
    state[QLatin1String("branch")] = wanted_.isEmpty() ? reader_->reading().endId() : wanted_branch_;
    state[QLatin1String("scroll")] = wanted_scroll_ >= 0 ? wanted_scroll_ : list_->list()->verticalScrollBar()->value();
    state[QLatin1String("zoom")] = reader_->view()->zoomSteps();
    state[QLatin1String("proof")] = reader_->proofShown();
    state[QLatin1String("drawer")] = list_->facetsButton()->isChecked();
    if (placed_) {
        state[QLatin1String("moved")] = moved_;
        state[QLatin1String("panes")] = packed(splitter_);
        state[QLatin1String("reader")] = packed(reader_->splitter());
    }
    return state;
}

void DataPage::restoreState(const QJsonObject& state) {
    QStringList history;
    for (const QJsonValue& value : state[QLatin1String("history")].toArray()) history << value.toString();
    list_->filterBox()->setHistory(history);
    list_->setScope(static_cast<Scope>(std::clamp(state[QLatin1String("scope")].toInt(), 0, 3)));
    list_->setSort(static_cast<SortBy>(std::clamp(state[QLatin1String("sort")].toInt(), 0, 5)));
    wanted_ = state[QLatin1String("message")].toString();
    wanted_branch_ = state[QLatin1String("branch")].toString();
    wanted_scroll_ = state[QLatin1String("scroll")].toInt(-1);
    reader_->view()->zoom(0);
    if (const int steps = state[QLatin1String("zoom")].toInt(); steps != 0) reader_->view()->zoom(steps);
    list_->facetsButton()->setChecked(state[QLatin1String("drawer")].toBool());
    if (state.contains(QLatin1String("panes"))) {
        placed_ = true;
        moved_ = state[QLatin1String("moved")].toBool();
        unpack(splitter_, state[QLatin1String("panes")]);
        unpack(reader_->splitter(), state[QLatin1String("reader")]);
    }
    reader_->setProof(state[QLatin1String("proof")].toBool());
    list_->filterBox()->setFilter(state[QLatin1String("filter")].toString());
    if (loaded_) ask();
}

}  // namespace studio::ui
