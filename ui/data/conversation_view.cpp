#include "ui/data/conversation_view.h"

#include <QAccessible>
#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

constexpr qsizetype kShown = 32 * 1024;  // characters of a message that are laid out at first, and with each "more"
constexpr int kEager = 30;               // messages of a branch that are laid out before they are in sight
constexpr int kGap = 3 * kSpace;
constexpr int kMargin = 3 * kSpace;
constexpr int kMaxZoom = 10, kMinZoom = -4;

}  // namespace

ConversationView::ConversationView(Reading& reading, QWidget* parent) : QAbstractScrollArea(parent), reading_(reading) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAccessibleName(tr("Conversation"));
    viewport()->setBackgroundRole(QPalette::Window);
    viewport()->setMouseTracking(true);
    connect(&reading_, &Reading::conversationChanged, this, [this] {
        blocks_.clear();
        shown_.clear();
        tops_.assign(1, kMargin);
        dropSelection();
        verticalScrollBar()->setValue(0);
    });
    connect(&reading_, &Reading::pathChanged, this, [this] {
        dropSelection();
        relayout();
    });
    connect(&reading_, &Reading::currentChanged, this, [this] {
        showCurrent();
        announce();
        viewport()->update();
    });
    restyle();
}

void ConversationView::restyle() {
    restyling_ = true;
    QFont body = QApplication::font();
    body.setPointSizeF(std::max(6.0, QFontInfo(body).pointSizeF() + zoom_));
    fonts_ = {body, secondaryFont(body), strongFont(body)};
    blocks_.clear();
    relayout();
    restyling_ = false;
}

void ConversationView::zoom(int steps) {
    zoom_ = steps == 0 ? 0 : std::clamp(zoom_ + steps, kMinZoom, kMaxZoom);
    restyle();
    showCurrent();
}

// Lines longer than about ninety characters are hard to read.
int ConversationView::columnWidth() const {
    const int most = characterWidth(fonts_.body) * 96;
    return std::max(160, std::min(viewport()->width() - 2 * kMargin, most));
}

int ConversationView::columnLeft() const {
    return kMargin;
}

MessageBlock& ConversationView::block(int place) {
    const int index = reading_.path()[static_cast<std::size_t>(place)];
    const BlockPlace in_tree{reading_.placeAmongSiblings(index), static_cast<int>(reading_.siblings(index).size()),
                             reading_.verdict(index)};
    auto& block = blocks_[index];
    if (!block || !(block->place() == in_tree)) {
        const auto more = shown_.find(index);
        block = std::make_unique<MessageBlock>(reading_.message(index), in_tree, fonts_, columnWidth(),
                                               more == shown_.end() ? kShown : more->second);
    }
    return *block;
}

double ConversationView::estimated(int index) const {
    const corpus::Message& m = reading_.message(index);
    const QFontMetricsF body(fonts_.body);
    const auto characters = static_cast<double>(std::min<std::int64_t>(m.length, kShown));
    return (4 + characters * body.averageCharWidth() / columnWidth()) * (body.height() + 1);
}

void ConversationView::measure() {
    tops_.assign(1, kMargin);
    const int n = reading_.empty() ? 0 : static_cast<int>(reading_.path().size());
    for (int i = 0; i < n; ++i) {
        const int index = reading_.path()[static_cast<std::size_t>(i)];
        const bool exact = n <= kEager || blocks_.contains(index);
        tops_.push_back(tops_.back() + (exact ? block(i).height() : estimated(index)) + kGap);
    }
    const int height = static_cast<int>(tops_.back());
    verticalScrollBar()->setRange(0, std::max(0, height - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(QFontMetrics(fonts_.body).height() * 2);
}

void ConversationView::relayout() {
    measure();
    settle();
    viewport()->update();
}

void ConversationView::settle() {
    if (settling_ || reading_.empty()) return;
    settling_ = true;
    for (int round = 0; round < 8; ++round) {
        const int scroll = verticalScrollBar()->value(), first = placeAt(scroll);
        bool changed = false;
        for (int place = first; place + 1 < static_cast<int>(tops_.size()); ++place) {
            if (tops_[static_cast<std::size_t>(place)] > scroll + viewport()->height()) break;
            if (blocks_.contains(reading_.path()[static_cast<std::size_t>(place)])) continue;
            block(place);
            changed = true;
        }
        if (!changed) break;
        const double within = scroll - tops_[static_cast<std::size_t>(first)];
        measure();
        verticalScrollBar()->setValue(static_cast<int>(tops_[static_cast<std::size_t>(first)] + within));
        viewport()->update();
    }
    settling_ = false;
}

void ConversationView::showCurrent() {
    const int place = reading_.empty() ? -1 : reading_.placeOnPath(reading_.current());
    for (int round = 0; round < 2; ++round) {  // the second time with the true heights
        if (place < 0 || tops_.size() < static_cast<std::size_t>(place) + 2) return;
        const int top = static_cast<int>(tops_[static_cast<std::size_t>(place)]) - kGap;
        const int bottom = static_cast<int>(tops_[static_cast<std::size_t>(place) + 1]);
        const int at = verticalScrollBar()->value(), page = viewport()->height();
        if (top < at || bottom - top > page)
            verticalScrollBar()->setValue(top);
        else if (bottom > at + page)
            verticalScrollBar()->setValue(bottom - page);
        settle();
    }
}

int ConversationView::placeAt(double y) const {
    const auto next = std::upper_bound(tops_.begin(), tops_.end(), y);
    const auto place = static_cast<int>(next - tops_.begin()) - 1;
    return std::clamp(place, 0, std::max(0, static_cast<int>(tops_.size()) - 2));
}

ConversationView::Spot ConversationView::spotAt(const QPoint& point) {
    if (tops_.size() < 2) return {};
    const double y = point.y() + verticalScrollBar()->value();
    const int place = placeAt(y);
    return {place, block(place).positionAt(
                       {static_cast<double>(point.x() - columnLeft()), y - tops_[static_cast<std::size_t>(place)]})};
}

void ConversationView::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    painter.fillRect(event->rect(), colour(Hue::Window, this));
    const int scroll = verticalScrollBar()->value();
    const Spot from = std::min(anchor_, cursor_), to = std::max(anchor_, cursor_);
    for (int place = 0; place + 1 < static_cast<int>(tops_.size()); ++place) {
        const double top = tops_[static_cast<std::size_t>(place)] - scroll;
        if (top > event->rect().bottom()) break;
        if (tops_[static_cast<std::size_t>(place) + 1] - scroll < event->rect().top()) continue;
        const MessageBlock& b = block(place);
        const qsizetype begin = place < from.place ? b.size() : place == from.place ? from.position : 0;
        const qsizetype end = place > to.place ? 0 : place == to.place ? to.position : b.size();
        painter.save();
        painter.setClipRect(event->rect());
        const bool current = reading_.path()[static_cast<std::size_t>(place)] == reading_.current();
        b.paint(painter, {static_cast<double>(columnLeft()), top}, palette(), begin, end, current, hasFocus());
        painter.restore();
    }
}

void ConversationView::resizeEvent(QResizeEvent* event) {
    if (event->oldSize().width() != event->size().width()) blocks_.clear();
    relayout();
}

void ConversationView::scrollContentsBy(int, int dy) {
    viewport()->scroll(0, dy);
    settle();
}

void ConversationView::dropSelection() {
    anchor_ = cursor_ = {};
    selecting_ = false;
}

QString ConversationView::selectedText() {
    const Spot from = std::min(anchor_, cursor_), to = std::max(anchor_, cursor_);
    if (from == to || from.place < 0) return {};
    QString out;
    for (int place = from.place; place <= to.place; ++place) {
        const MessageBlock& b = block(place);
        const qsizetype begin = place == from.place ? from.position : 0;
        const qsizetype end = place == to.place ? to.position : b.size();
        if (place > from.place) out += QStringLiteral("\n\n");
        out += QStringView(b.original()).mid(begin, end - begin);
    }
    return out;
}

void ConversationView::copy() const {
    QString chosen = const_cast<ConversationView*>(this)->selectedText();
    if (chosen.isEmpty() && reading_.current() >= 0) chosen = text(reading_.message(reading_.current()).text);
    if (!chosen.isEmpty()) QApplication::clipboard()->setText(chosen);
}

void ConversationView::selectAll() {
    if (tops_.size() < 2) return;
    const int last = static_cast<int>(tops_.size()) - 2;
    anchor_ = {0, 0};
    cursor_ = {last, block(last).size()};
    viewport()->update();
}

void ConversationView::press(int place, const QPointF& in_block) {
    const int index = reading_.path()[static_cast<std::size_t>(place)];
    switch (block(place).partAt(in_block)) {
        case MessageBlock::Part::Previous:
            reading_.switchBranchAt(index, -1);
            return;
        case MessageBlock::Part::Next:
            reading_.switchBranchAt(index, 1);
            return;
        case MessageBlock::Part::More:
            shown_[index] = block(place).size() + kShown;
            blocks_.erase(index);
            relayout();
            return;
        default:
            reading_.setCurrent(index);
    }
}

void ConversationView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || tops_.size() < 2) return;
    const double y = event->position().y() + verticalScrollBar()->value();
    const int place = placeAt(y);
    const QPointF in_block(event->position().x() - columnLeft(), y - tops_[static_cast<std::size_t>(place)]);
    const Spot spot = spotAt(event->position().toPoint());
    if (event->modifiers() & Qt::ShiftModifier && anchor_.place >= 0) {
        cursor_ = spot;
    } else {
        dropSelection();
        if (block(place).partAt(in_block) == MessageBlock::Part::Text) {
            anchor_ = cursor_ = spot;
            selecting_ = true;
        }
        press(place, in_block);
    }
    viewport()->update();
}

void ConversationView::mouseMoveEvent(QMouseEvent* event) {
    if (tops_.size() < 2) return;
    if (selecting_ && event->buttons() & Qt::LeftButton) {
        const int y = static_cast<int>(event->position().y());
        if (y < 0) verticalScrollBar()->setValue(verticalScrollBar()->value() + y / 2);
        if (y > viewport()->height())
            verticalScrollBar()->setValue(verticalScrollBar()->value() + (y - viewport()->height()) / 2);
        cursor_ = spotAt(event->position().toPoint());
        viewport()->update();
        return;
    }
    const double y = event->position().y() + verticalScrollBar()->value();
    const int place = placeAt(y);
    const auto part =
        block(place).partAt({event->position().x() - columnLeft(), y - tops_[static_cast<std::size_t>(place)]});
    viewport()->setCursor(part == MessageBlock::Part::Text      ? Qt::IBeamCursor
                          : part == MessageBlock::Part::Nothing ? Qt::ArrowCursor
                                                                : Qt::PointingHandCursor);
}

void ConversationView::mouseReleaseEvent(QMouseEvent*) {
    selecting_ = false;
}

void ConversationView::mouseDoubleClickEvent(QMouseEvent* event) {
    const Spot spot = spotAt(event->position().toPoint());
    if (spot.place < 0) return;
    const QString& words = block(spot.place).original();
    qsizetype begin = std::min(spot.position, words.size()), end = begin;
    const auto in_word = [](QChar c) { return c.isLetterOrNumber() || c == QLatin1Char('_'); };
    while (begin > 0 && in_word(words[begin - 1])) --begin;
    while (end < words.size() && in_word(words[end])) ++end;
    anchor_ = {spot.place, begin};
    cursor_ = {spot.place, end};
    viewport()->update();
}

void ConversationView::wheelEvent(QWheelEvent* event) {
    if (event->modifiers() & Qt::ControlModifier) {
        if (event->angleDelta().y() != 0) zoom(event->angleDelta().y() > 0 ? 1 : -1);
        return event->accept();
    }
    QAbstractScrollArea::wheelEvent(event);
}

void ConversationView::contextMenuEvent(QContextMenuEvent* event) {
    QPoint at = event->globalPos();
    if (event->reason() == QContextMenuEvent::Keyboard) at = viewport()->mapToGlobal(QPoint(columnLeft(), kMargin));
    Q_EMIT menuRequested(at);
}

void ConversationView::keyPressEvent(QKeyEvent* event) {
    QScrollBar* bar = verticalScrollBar();
    const bool rtl = isRightToLeft();
    if (event->matches(QKeySequence::Copy)) return copy();
    if (event->matches(QKeySequence::SelectAll)) return selectAll();
    switch (event->key()) {
        case Qt::Key_Up:
            if (!reading_.moveCurrent(-1)) bar->setValue(0);
            return;
        case Qt::Key_Down:
            if (!reading_.moveCurrent(1)) bar->setValue(bar->maximum());
            return;
        case Qt::Key_Left:
            reading_.switchBranch(rtl ? 1 : -1);
            return;
        case Qt::Key_Right:
            reading_.switchBranch(rtl ? -1 : 1);
            return;
        case Qt::Key_PageUp:
            return bar->triggerAction(QAbstractSlider::SliderPageStepSub);
        case Qt::Key_PageDown:
        case Qt::Key_Space:
            return bar->triggerAction(QAbstractSlider::SliderPageStepAdd);
        case Qt::Key_Home:
            if (!reading_.empty() && !reading_.path().empty()) reading_.setCurrent(reading_.path().front());
            return;
        case Qt::Key_End:
            if (!reading_.empty() && !reading_.path().empty()) reading_.setCurrent(reading_.path().back());
            return;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            if (const int place = reading_.empty() ? -1 : reading_.placeOnPath(reading_.current());
                place >= 0 && block(place).hidden() > 0) {
                shown_[reading_.current()] = block(place).size() + kShown;
                blocks_.erase(reading_.current());
                relayout();
            }
            return;
        default:
            QAbstractScrollArea::keyPressEvent(event);
    }
}

// Screen readers hear the message that the keys moved to.
void ConversationView::announce() {
    if (reading_.empty() || reading_.current() < 0) return setAccessibleDescription({});
    const corpus::Message& m = reading_.message(reading_.current());
    setAccessibleDescription(roleText(m.role) + QStringLiteral(": ") + text(m.text).left(4000));
    QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&changed);
}

void ConversationView::focusInEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void ConversationView::focusOutEvent(QFocusEvent* event) {
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

void ConversationView::changeEvent(QEvent* event) {
    QAbstractScrollArea::changeEvent(event);
    if (restyling_) return;
    if (event->type() == QEvent::ApplicationFontChange || event->type() == QEvent::FontChange) restyle();
    if (event->type() == QEvent::PaletteChange) viewport()->update();
}

}  // namespace studio::ui
