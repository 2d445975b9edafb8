#include "ui/data/tree_map.h"

#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

TreeMap::TreeMap(Reading& reading, QWidget* parent) : QWidget(parent), reading_(reading) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAccessibleName(tr("Tree of messages"));
    connect(&reading_, &Reading::conversationChanged, this, &TreeMap::arrange);
    connect(&reading_, &Reading::pathChanged, this, qOverload<>(&QWidget::update));
    connect(&reading_, &Reading::currentChanged, this, [this] {
        update();
        const int index = reading_.current();
        setAccessibleDescription(index < 0 ? QString() : spoken(index));
        if (index < 0) return;
        const QPointF at = centre(index);
        const double u = 2 * unit();
        Q_EMIT currentMoved(QRectF(at.x() - u, at.y() - u, 2 * u, 2 * u).toAlignedRect());
    });
}

double TreeMap::unit() const {
    return std::max(9.0, fontMetrics().height() * 0.62);  // of a node; everything else is a multiple
}

// Leaves take a column each, in order; what stands above them is centred.
void TreeMap::arrange() {
    places_.clear();
    columns_ = 0;
    rows_ = 0;
    if (!reading_.empty()) {
        const auto n = reading_.conversation().messages.size();
        places_.assign(n, {-1, 0});
        std::vector<int> depth(n, 0), order;
        std::vector<int> open(reading_.replies(-1).rbegin(), reading_.replies(-1).rend());
        while (!open.empty()) {  // depth first, so that leaves come in their order
            const int index = open.back();
            open.pop_back();
            order.push_back(index);
            const int above = reading_.parent(index);
            depth[static_cast<std::size_t>(index)] = above < 0 ? 0 : depth[static_cast<std::size_t>(above)] + 1;
            rows_ = std::max(rows_, depth[static_cast<std::size_t>(index)] + 1);
            const auto& replies = reading_.replies(index);
            open.insert(open.end(), replies.rbegin(), replies.rend());
        }
        for (const int index : order)
            if (reading_.replies(index).empty()) places_[static_cast<std::size_t>(index)] = {columns_++, 0};
        for (auto index = order.rbegin(); index != order.rend(); ++index) {
            const auto& replies = reading_.replies(*index);
            QPointF& place = places_[static_cast<std::size_t>(*index)];
            if (!replies.empty())
                place.setX((places_[static_cast<std::size_t>(replies.front())].x() +
                            places_[static_cast<std::size_t>(replies.back())].x()) /
                           2);
            place.setY(depth[static_cast<std::size_t>(*index)]);
        }
    }
    updateGeometry();
    update();
}

QSize TreeMap::sizeHint() const {
    const double u = unit();
    return {static_cast<int>(std::max(1.0, columns_) * 1.9 * u + 2 * u),
            static_cast<int>((std::max(1, rows_) - 1) * 3.0 * u + 2.6 * u)};
}

QPointF TreeMap::centre(int index) const {
    const QPointF& place = places_[static_cast<std::size_t>(index)];
    const double u = unit();
    // Narrow trees use the room there is, up to twice the least distance.
    const double room = (width() - 2 * u) / std::max(1.0, columns_);
    const double step = std::clamp(room, 1.9 * u, 3.6 * u);
    const double left = std::max(u, (width() - step * columns_) / 2);
    return {left + (place.x() + 0.5) * step, 1.2 * u + place.y() * 3.0 * u};
}

int TreeMap::nodeAt(const QPointF& point) const {
    const double reach = unit() * 0.95;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const QPointF d = centre(static_cast<int>(i)) - point;
        if (d.x() * d.x() + d.y() * d.y() < reach * reach) return static_cast<int>(i);
    }
    return -1;
}

QString TreeMap::spoken(int index) const {
    const corpus::Message& m = reading_.message(index);
    const QString line = visibleLine(text(m.text).left(160));
    return m.rank ? tr("%1, rank %2: %3").arg(roleText(m.role), QString::number(*m.rank), line)
                  : tr("%1: %2").arg(roleText(m.role), line);
}

void TreeMap::paintEvent(QPaintEvent* event) {
    if (places_.empty()) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double u = unit();
    const auto edge = [&](int index, const QColor& ink, double thick) {
        const int above = reading_.parent(index);
        if (above < 0) return;
        const QPointF from = centre(above), to = centre(index);
        if (std::max(from.x(), to.x()) < event->rect().left() - u ||
            std::min(from.x(), to.x()) > event->rect().right() + u)
            return;
        QPainterPath curve(from);
        const double middle = (from.y() + to.y()) / 2;
        curve.cubicTo({from.x(), middle}, {to.x(), middle}, to);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(ink, thick));
        painter.drawPath(curve);
    };
    const int n = static_cast<int>(places_.size());
    for (int i = 0; i < n; ++i)
        if (reading_.placeOnPath(i) < 0) edge(i, colour(Hue::Line, this), 1.2);
    for (const int i : reading_.path()) edge(i, colour(Hue::Prompter, this), 2);

    QFont small = secondaryFont(font());
    painter.setFont(small);
    for (int i = 0; i < n; ++i) {
        const QPointF at = centre(i);
        if (!event->rect().adjusted(-20, -20, 20, 20).contains(at.toPoint())) continue;
        const corpus::Message& m = reading_.message(i);
        const bool on_path = reading_.placeOnPath(i) >= 0, current = i == reading_.current();
        const bool left_out = m.deleted || (reading_.verdict(i) && *reading_.verdict(i) != corpus::Verdict::Kept);
        QColor hue = colour(m.role == corpus::Role::Prompter    ? Hue::Prompter
                            : m.role == corpus::Role::Assistant ? Hue::Assistant
                                                                : Hue::Secondary,
                            this);
        const QColor ground = colour(Hue::Window, this);
        painter.setPen(QPen(hue, 1.4));
        if (left_out)
            painter.setBrush(ground);  // hollow
        else if (on_path)
            painter.setBrush(hue);
        else {
            QColor faint = hue;
            faint.setAlphaF(0.45F);
            painter.setPen(Qt::NoPen);
            painter.setBrush(ground);
            painter.drawEllipse(at, u * 0.4, u * 0.4);
            painter.setBrush(faint);
        }
        const double r = u * (on_path ? 0.5 : 0.42);
        if (m.role == corpus::Role::Prompter)
            painter.drawRoundedRect(QRectF(at.x() - r, at.y() - r, 2 * r, 2 * r), 1.5, 1.5);
        else
            painter.drawEllipse(at, r, r);
        if (current) {
            painter.setBrush(Qt::NoBrush);
            painter.setPen(QPen(colour(hasFocus() ? Hue::Accent : Hue::Text, this), 1.6));
            painter.drawEllipse(at, u * 0.85, u * 0.85);
        }
        if (m.rank && m.role == corpus::Role::Assistant) {
            painter.setPen(colour(on_path ? Hue::Text : Hue::Secondary, this));
            painter.drawText(QRectF(at.x() + u * (current ? 1.05 : 0.75), at.y() - u, 2 * u, 2 * u),
                             static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter), QString::number(*m.rank));
        }
    }
}

void TreeMap::mousePressEvent(QMouseEvent* event) {
    const int index = nodeAt(event->position());
    if (event->button() == Qt::LeftButton && index >= 0) reading_.setCurrent(index);
}

void TreeMap::mouseMoveEvent(QMouseEvent* event) {
    setCursor(nodeAt(event->position()) >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

void TreeMap::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Up:
            reading_.moveCurrent(-1);
            return;
        case Qt::Key_Down:
            reading_.moveCurrent(1);
            return;
        case Qt::Key_Left:
            reading_.switchBranch(isRightToLeft() ? 1 : -1);
            return;
        case Qt::Key_Right:
            reading_.switchBranch(isRightToLeft() ? -1 : 1);
            return;
        default:
            QWidget::keyPressEvent(event);
    }
}

bool TreeMap::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int index = nodeAt(help->pos());
        if (index < 0)
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), spoken(index).toHtmlEscaped(), this);
        return true;
    }
    return QWidget::event(event);
}

void TreeMap::resizeEvent(QResizeEvent*) {
    update();
}

void TreeMap::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::ApplicationFontChange) updateGeometry();
}

}  // namespace studio::ui
