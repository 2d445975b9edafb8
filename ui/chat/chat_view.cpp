#include "ui/chat/chat_view.h"

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>

#include "ui/look/type.h"

namespace studio::ui {

ChatView::ChatView(QWidget* parent) : QAbstractScrollArea(parent) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    viewport()->setBackgroundRole(QPalette::Window);
    setAccessibleName(tr("Conversation"));
    verticalScrollBar()->setSingleStep(3 * fontMetrics().height());
}

bool ChatView::atEnd() const {
    return verticalScrollBar()->value() >= verticalScrollBar()->maximum() - fontMetrics().height();
}

void ChatView::setTurns(std::vector<TurnView> turns) {
    const bool follow = atEnd();
    const int kept_node = currentNode();
    std::size_t first = 0;
    const std::size_t common = std::min(turns.size(), rows_.size());
    while (first < common && rows_[first].layout.turn() == turns[first]) ++first;
    const bool new_turn = turns.size() > rows_.size();
    rows_.resize(first);
    for (std::size_t i = first; i < turns.size(); ++i) {
        rows_.emplace_back();
        rows_.back().layout.setTurn(turns[i]);
    }
    current_ = -1;
    if (selected_row_ >= static_cast<int>(first)) clearSelection();
    for (std::size_t i = 0; i < rows_.size(); ++i)
        if (kept_node >= 0 && rows_[i].layout.turn().node == kept_node) current_ = static_cast<int>(i);
    hovered_ = hot_ = -1;
    layOutFrom(first);
    if (follow || new_turn) scrollToEnd();
    describe();
}

void ChatView::updateTurn(const TurnView& turn) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (rows_[i].layout.turn().node != turn.node) continue;
        if (rows_[i].layout.turn() == turn) return;
        const bool follow = atEnd();
        rows_[i].layout.setTurn(turn);
        layOutFrom(i);
        if (follow) scrollToEnd();
        describe();
        return;
    }
}

void ChatView::layOutFrom(std::size_t first) {
    const int width = viewport()->width();
    int y = first == 0 ? 2 * kSpace : rows_[first - 1].y + rows_[first - 1].layout.height();
    for (std::size_t i = first; i < rows_.size(); ++i) {
        rows_[i].y = y;
        y += rows_[i].layout.layOut(width, font(), palette());
    }
    height_ = y + 2 * kSpace;
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setRange(0, std::max(0, height_ - viewport()->height()));
    viewport()->update();
}

void ChatView::scrollToEnd() {
    verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

int ChatView::currentNode() const {
    return current_ >= 0 && current_ < static_cast<int>(rows_.size())
               ? rows_[static_cast<std::size_t>(current_)].layout.turn().node
               : -1;
}

QString ChatView::currentText() const {
    if (current_ < 0 || current_ >= static_cast<int>(rows_.size())) return {};
    const TurnView& turn = rows_[static_cast<std::size_t>(current_)].layout.turn();
    if (!turn.answer) return turn.prompt;
    QStringList texts;
    for (const ReplyView& reply : turn.replies) texts << reply.text;
    return texts.join(QStringLiteral("\n\n"));
}

void ChatView::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    const int offset = verticalScrollBar()->value();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const int y = rows_[i].y - offset;
        if (y + rows_[i].layout.height() < event->rect().top()) continue;
        if (y > event->rect().bottom()) break;
        const int row = static_cast<int>(i);
        rows_[i].layout.paint(painter, QPoint(0, y), event->rect(),
                              {hasFocus() && row == current_ && selected_row_ < 0, row == hovered_,
                               row == hovered_ ? hot_ : -1, row == selected_row_ ? selected_column_ : -1, selection()});
    }
    if (hasFocus() && current_ < 0) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(colour(Hue::Accent, this), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(viewport()->rect()).adjusted(2, 2, -2, -2), 4, 4);
    }
}

void ChatView::resizeEvent(QResizeEvent*) {
    const bool follow = atEnd();
    layOutFrom(0);
    if (follow) scrollToEnd();
}

void ChatView::changeEvent(QEvent* event) {
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange ||
        event->type() == QEvent::StyleChange)
        layOutFrom(0);
}

int ChatView::rowAt(int y) const {
    const int at = y + verticalScrollBar()->value();
    for (std::size_t i = 0; i < rows_.size(); ++i)
        if (at >= rows_[i].y && at < rows_[i].y + rows_[i].layout.height()) return static_cast<int>(i);
    return -1;
}

void ChatView::point(const QPoint& position) {
    const int row = rowAt(position.y());
    int hot = -1;
    if (row >= 0) {
        const Row& r = rows_[static_cast<std::size_t>(row)];
        const QPoint inside = position - QPoint(0, r.y - verticalScrollBar()->value());
        for (std::size_t i = 0; i < r.layout.hits().size(); ++i)
            if (r.layout.hits()[i].rect.contains(inside)) hot = static_cast<int>(i);
    }
    const bool same = row == hovered_ && hot == hot_;
    hovered_ = row;
    hot_ = hot;
    bool text = false;
    if (row >= 0 && hot < 0) {
        const Row& r = rows_[static_cast<std::size_t>(row)];
        text = r.layout.spotAt(position - QPoint(0, r.y - verticalScrollBar()->value())).has_value();
    }
    viewport()->setCursor(hot >= 0 ? Qt::PointingHandCursor : text ? Qt::IBeamCursor : Qt::ArrowCursor);
    if (!same) viewport()->update();
}

void ChatView::mouseMoveEvent(QMouseEvent* event) {
    if (selecting_ && selected_row_ >= 0) {
        const Row& row = rows_[static_cast<std::size_t>(selected_row_)];
        head_ = row.layout.placeIn(selected_column_, event->pos() - QPoint(0, row.y - verticalScrollBar()->value()));
        viewport()->update();
        return;
    }
    point(event->pos());
}

void ChatView::mouseReleaseEvent(QMouseEvent*) {
    selecting_ = false;
    if (selection().empty()) clearSelection();
}

TextBlocks::Selection ChatView::selection() const {
    return selected_row_ < 0 ? TextBlocks::Selection{}
           : anchor_ < head_ ? TextBlocks::Selection{anchor_, head_}
                             : TextBlocks::Selection{head_, anchor_};
}

void ChatView::clearSelection() {
    selected_row_ = -1;
    selecting_ = false;
    viewport()->update();
}

QString ChatView::selectedText() const {
    return selected_row_ < 0
               ? QString()
               : rows_[static_cast<std::size_t>(selected_row_)].layout.selected(selected_column_, selection());
}

void ChatView::leaveEvent(QEvent*) {
    hovered_ = hot_ = -1;
    viewport()->update();
}

bool ChatView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::Leave) leaveEvent(event);
    return QAbstractScrollArea::viewportEvent(event);
}

void ChatView::mousePressEvent(QMouseEvent* event) {
    point(event->pos());
    setCurrent(hovered_);
    if (event->button() != Qt::LeftButton) return;
    clearSelection();
    if (hovered_ >= 0 && hot_ < 0) {
        const Row& row = rows_[static_cast<std::size_t>(hovered_)];
        const auto spot = row.layout.spotAt(event->pos() - QPoint(0, row.y - verticalScrollBar()->value()));
        if (!spot) return;
        selected_row_ = hovered_;
        selected_column_ = spot->column;
        anchor_ = head_ = spot->place;
        selecting_ = true;
        return;
    }
    if (hovered_ < 0) return;
    const TurnLayout& layout = rows_[static_cast<std::size_t>(hovered_)].layout;
    const TurnLayout::Hit hit = layout.hits()[static_cast<std::size_t>(hot_)];
    Q_EMIT action(hit.action, layout.turn().node, hit.reply);
}

void ChatView::setCurrent(int row) {
    current_ = row;
    if (row >= 0 && row < static_cast<int>(rows_.size())) {
        const Row& r = rows_[static_cast<std::size_t>(row)];
        QScrollBar* bar = verticalScrollBar();
        const int bottom = r.y + r.layout.height();
        if (bottom > bar->value() + viewport()->height() && r.layout.height() < viewport()->height())
            bar->setValue(bottom - viewport()->height());
        if (r.y < bar->value()) bar->setValue(r.y);
    }
    describe();
    viewport()->update();
}

void ChatView::describe() {
    const QString text = currentText();
    setAccessibleDescription(text.isEmpty() ? tr("%n turn(s)", nullptr, static_cast<int>(rows_.size()))
                                            : text.left(2000));
}

void ChatView::keyPressEvent(QKeyEvent* event) {
    const int last = static_cast<int>(rows_.size()) - 1;
    if (event->key() == Qt::Key_Up || event->key() == Qt::Key_Down) clearSelection();
    switch (event->key()) {
        case Qt::Key_Up:
            if (event->modifiers() == Qt::NoModifier && last >= 0)
                return setCurrent(current_ < 0 ? last : std::max(0, current_ - 1));
            break;
        case Qt::Key_Down:
            if (event->modifiers() == Qt::NoModifier && last >= 0)
                return setCurrent(current_ < 0 ? last : std::min(last, current_ + 1));
            break;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            if (event->modifiers() == Qt::NoModifier && current_ >= 0) {
                const Row& row = rows_[static_cast<std::size_t>(current_)];
                showMenu(current_, viewport()->mapToGlobal(QPoint(8 * kSpace, row.y - verticalScrollBar()->value())));
                return;
            }
            break;
        case Qt::Key_Home:
            return verticalScrollBar()->setValue(0);
        case Qt::Key_End:
            return scrollToEnd();
        default:
            break;
    }
    if (event->matches(QKeySequence::Copy) && !selectedText().isEmpty()) {
        Q_EMIT copyText(selectedText());
        return;
    }
    if (event->matches(QKeySequence::Copy) && current_ >= 0) {
        Q_EMIT action(TurnAction::Copy, currentNode(), 0);
        return;
    }
    QAbstractScrollArea::keyPressEvent(event);
}

void ChatView::contextMenuEvent(QContextMenuEvent* event) {
    int row = event->reason() == QContextMenuEvent::Mouse ? rowAt(event->pos().y()) : current_;
    if (row < 0) return;
    setCurrent(row);
    const QPoint at = event->reason() == QContextMenuEvent::Mouse
                          ? event->globalPos()
                          : viewport()->mapToGlobal(QPoint(
                                8 * kSpace, rows_[static_cast<std::size_t>(row)].y - verticalScrollBar()->value()));
    showMenu(row, at);
}

void ChatView::showMenu(int row, const QPoint& global) {
    const TurnLayout& layout = rows_[static_cast<std::size_t>(row)].layout;
    const int node = layout.turn().node;
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const TurnLayout::Hit& hit : layout.hits()) {
        QString text = words(hit.action);
        if (layout.turn().replies.size() > 1 && hit.action == TurnAction::Copy)
            text = tr("Copy “%1”").arg(layout.turn().replies[static_cast<std::size_t>(hit.reply)].label);
        QAction* entry = menu->addAction(text);
        entry->setEnabled((hit.action != TurnAction::Previous || layout.turn().branch > 0) &&
                          (hit.action != TurnAction::Next || layout.turn().branch + 1 < layout.turn().branches));
        connect(entry, &QAction::triggered, this, [this, hit, node] { Q_EMIT action(hit.action, node, hit.reply); });
    }
    menu->popup(global);
}

void ChatView::focusInEvent(QFocusEvent* event) {
    if (current_ < 0 && event->reason() != Qt::MouseFocusReason && !rows_.empty())
        setCurrent(static_cast<int>(rows_.size()) - 1);
    viewport()->update();
}

void ChatView::focusOutEvent(QFocusEvent*) {
    viewport()->update();
}

}  // namespace studio::ui
