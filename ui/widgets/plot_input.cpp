// Mouse and keyboard of a plot, and the state that plots share.
#include "ui/widgets/custom_plot.h"

#include <cmath>

#include "ui/look/format.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_overlay.h"

namespace studio::ui {

void PlotGroup::setX(PlotX x) {
    if (x == x_) return;
    x_ = x;
    range_.reset();
    Q_EMIT viewChanged();
}

void PlotGroup::setSmoothing(double weight) {
    smoothing_ = std::clamp(weight, 0.0, 0.99);
    Q_EMIT viewChanged();
    Q_EMIT cursorChanged();
}

void PlotGroup::setRange(std::optional<std::pair<double, double>> range) {
    range_ = range;
    Q_EMIT viewChanged();
}

void PlotGroup::setCursor(std::optional<double> step) {
    if (step == cursor_) return;
    cursor_ = step;
    Q_EMIT cursorChanged();
}

void PlotGroup::setEnd(const PlotPoint& end) {
    end_ = end;
    Q_EMIT viewChanged();
}

double Plot::stepAt(double x) const {
    if (series_.empty() || series_[0].points.empty()) return 0;
    const auto& points = series_[0].points;
    const PlotX measure = group_.x();
    const auto next = std::lower_bound(points.begin(), points.end(), x, [measure](const PlotPoint& point, double at_x) {
        return at(point, measure) < at_x;
    });
    if (next == points.end()) return points.back().step;
    if (next == points.begin()) return next->step;
    const auto before = std::prev(next);
    return x - at(*before, measure) < at(*next, measure) - x ? before->step : next->step;
}

void Plot::zoom(double factor, double around) {
    const auto [low, high] = shownRange();
    const auto [first, last] = fullRange();
    const double from = around - (around - low) * factor, to = around + (high - around) * factor;
    if (to - from >= last - first)
        group_.setRange(std::nullopt);
    else if (to - from > (last - first) * 1e-5)
        group_.setRange(std::pair(std::max(first, from), std::min(last, to)));
}

void Plot::pan(double share) {
    if (!group_.range()) return;
    const auto [low, high] = *group_.range();
    const auto [first, last] = fullRange();
    const double by = std::clamp((high - low) * share, first - low, last - high);
    group_.setRange(std::pair(low + by, high + by));
}

void Plot::moveCursor(int by) {
    if (series_.empty() || series_[0].points.empty()) return;
    const auto& points = series_[0].points;
    const int count = static_cast<int>(points.size());
    const int now = group_.cursor() ? series_[0].nearest(*group_.cursor()) : by > 0 ? -1 : count;
    const PlotPoint& point = points[static_cast<std::size_t>(std::clamp(now + by, 0, count - 1))];
    group_.setCursor(point.step);
    // A zoomed plot follows the cursor out of sight.
    const auto [low, high] = shownRange();
    const double x = at(point, group_.x());
    if (x < low || x > high) pan((x - (low + high) / 2) / (high - low));
}

bool Plot::escape() {
    const bool something = group_.cursor() || group_.range();
    group_.setCursor(std::nullopt);
    if (group_.range()) group_.setRange(std::nullopt);
    return something;
}

bool Plot::eventFilter(QObject* watched, QEvent* event) {
    if (watched != canvas_) return QWidget::eventFilter(watched, event);
    const auto valueAt = [this](int pixel) { return canvas_->xAxis->pixelToCoord(pixel) * unit(); };
    switch (event->type()) {
        case QEvent::Resize:
            overlay_->setGeometry(canvas_->rect());
            return false;
        case QEvent::Wheel: {
            auto* wheel = static_cast<QWheelEvent*>(event);
            if (!(wheel->modifiers() & Qt::ControlModifier)) {
                event->ignore();  // the page scrolls
                return true;
            }
            zoom(std::pow(0.8, wheel->angleDelta().y() / 120.0), valueAt(wheel->position().toPoint().x()));
            return true;
        }
        case QEvent::Leave:
            if (!hasFocus()) group_.setCursor(std::nullopt);
            return false;
        case QEvent::MouseButtonDblClick:
            group_.setRange(std::nullopt);
            return true;
        case QEvent::MouseButtonPress: {
            auto* mouse = static_cast<QMouseEvent*>(event);
            setFocus(Qt::MouseFocusReason);
            panning_ = mouse->button() == Qt::MiddleButton || (mouse->modifiers() & Qt::ShiftModifier);
            if (mouse->button() != Qt::LeftButton && !panning_) return false;
            pressed_ = mouse->pos();
            pressed_range_ = shownRange();
            return true;
        }
        case QEvent::MouseMove: {
            auto* mouse = static_cast<QMouseEvent*>(event);
            group_.setCursor(series_.empty() || series_[0].points.empty()
                                 ? std::optional<double>()
                                 : std::optional(stepAt(valueAt(mouse->pos().x()))));
            if (!pressed_) return true;
            if (panning_ && group_.range()) {
                const double width = std::max(1, canvas_->axisRect()->width());
                const auto [low, high] = *group_.range();
                const double wanted = pressed_range_.first + (pressed_->x() - mouse->pos().x()) / width * (high - low);
                pan((wanted - low) / (high - low));
            } else if (!panning_) {
                overlay_->setBand(QRect(*pressed_, mouse->pos()).normalized());
            }
            return true;
        }
        case QEvent::MouseButtonRelease: {
            if (!pressed_) return false;
            const QPoint from = *pressed_, to = static_cast<QMouseEvent*>(event)->pos();
            pressed_.reset();
            overlay_->setBand(std::nullopt);
            if (!panning_ && std::abs(from.x() - to.x()) > 6) {
                const auto [first, last] = fullRange();
                const double a = std::max(first, valueAt(std::min(from.x(), to.x())));
                const double b = std::min(last, valueAt(std::max(from.x(), to.x())));
                if (b > a) group_.setRange(std::pair(a, b));
            }
            return true;
        }
        default:
            return false;
    }
}

void Plot::keyPressEvent(QKeyEvent* event) {
    const int stride = event->modifiers() & Qt::ShiftModifier ? 10 : 1;
    const auto [low, high] = shownRange();
    const auto centre = [&, low = low, high = high] {
        const int index = group_.cursor() && !series_.empty() ? series_[0].nearest(*group_.cursor()) : -1;
        if (index < 0) return (low + high) / 2;
        return at(series_[0].points[static_cast<std::size_t>(index)], group_.x());
    };
    switch (event->key()) {
        case Qt::Key_Left:
        case Qt::Key_Right: {
            const int sign = event->key() == Qt::Key_Left ? -1 : 1;
            if (event->modifiers() & Qt::ControlModifier)
                pan(0.2 * sign);
            else
                moveCursor(sign * stride);
            return;
        }
        case Qt::Key_Home:
            return moveCursor(-100'000'000);
        case Qt::Key_End:
            return moveCursor(100'000'000);
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            return zoom(0.5, centre());
        case Qt::Key_Minus:
            return zoom(2, centre());
        case Qt::Key_0:
            return group_.setRange(std::nullopt);
        case Qt::Key_Escape:
            if (escape()) return;
            break;
        default:
            break;
    }
    if (event->matches(QKeySequence::Copy)) {
        QGuiApplication::clipboard()->setText(QString::fromUtf8(csv()));
        return;
    }
    QWidget::keyPressEvent(event);
}

void Plot::contextMenuEvent(QContextMenuEvent* event) {
    QMenu menu(this);
    menu.addAction(tr("Copy Values"), this,
                   [this] { QGuiApplication::clipboard()->setText(QString::fromUtf8(csv())); });
    menu.addAction(tr("Copy Picture"), this, [this] { QGuiApplication::clipboard()->setImage(picture()); });
    menu.addAction(tr("Export PNG…"), this, &Plot::exportPngWanted);
    menu.addAction(tr("Export CSV…"), this, &Plot::exportCsvWanted);
    menu.addSeparator();
    QAction* table = menu.addAction(tr("Show Values as Table"));
    table->setCheckable(true);
    table->setChecked(tableShown());
    connect(table, &QAction::toggled, this, &Plot::setTableShown);
    QAction* reset = menu.addAction(tr("Show All Steps"), this, [this] { group_.setRange(std::nullopt); });
    reset->setEnabled(group_.range().has_value());
    menu.exec(event->globalPos());
}

void Plot::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    overlay_->update();
}

void Plot::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    setAccessibleDescription(describe(series_));
    overlay_->update();
}

}  // namespace studio::ui
