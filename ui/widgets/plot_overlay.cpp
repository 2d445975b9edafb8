#include "ui/widgets/plot_overlay.h"

#include "ui/widgets/custom_plot.h"

#include <QPainter>
#include <cmath>

#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {

QPen linePen(const QColor& colour, bool dotted, double width) {
    QPen pen(colour, width);
    pen.setCapStyle(Qt::FlatCap);
    if (dotted) pen.setDashPattern({4, 2.5});
    return pen;
}

PlotOverlay::PlotOverlay(Plot& plot, QCustomPlot& canvas) : QWidget(&canvas), plot_(plot), canvas_(canvas) {
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAttribute(Qt::WA_NoSystemBackground);
}

void PlotOverlay::setBand(std::optional<QRect> band) {
    band_ = band;
    update();
}

void PlotOverlay::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRect area = canvas_.axisRect()->rect();
    if (band_) {
        QColor wash = colour(Hue::Accent, this);
        wash.setAlphaF(0.15F);
        painter.fillRect(QRect(band_->left(), area.top(), band_->width(), area.height()), wash);
    }
    if (plot_.size_ == Plot::Size::Full) paintSpikes(painter);
    paintCursor(painter);
    if (plot_.hasFocus()) {
        painter.setPen(QPen(colour(Hue::Accent, this), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 3, 3);
    }
}

void PlotOverlay::paintSpikes(QPainter& painter) {
    if (plot_.spikes_.empty()) return;
    const QRect area = canvas_.axisRect()->rect();
    painter.setFont(secondaryFont(plot_.font()));
    painter.setPen(QPen(colour(Hue::Bad, this), 2));
    painter.setBrush(Qt::NoBrush);
    double free_from = area.left();
    const double radius = painter.fontMetrics().height() / 3.0;
    // Many of them would cover the lines: the first twenty in sight are marked, words where there is room.
    int marked = 0;
    for (const int index : plot_.spikes_) {
        const PlotPoint& point = plot_.series_[0].points[static_cast<std::size_t>(index)];
        const double x = canvas_.xAxis->coordToPixel(at(point, plot_.group_.x()) / plot_.unit());
        if (x < area.left() || x > area.right()) continue;
        if (++marked > 20) break;
        const double y =
            std::clamp(canvas_.yAxis->coordToPixel(point.value), area.top() + radius + 2, area.bottom() - radius - 2);
        painter.drawEllipse(QPointF(x, y), radius, radius);
        const QString words = Plot::tr("spike %1").arg(number(static_cast<qint64>(point.step)));
        const double wide = painter.fontMetrics().horizontalAdvance(words);
        if (x + radius + 4 + wide > area.right() || x < free_from) continue;
        painter.drawText(QPointF(x + radius + 4, y + painter.fontMetrics().ascent() / 2.0 - 1), words);
        free_from = x + radius + 12 + wide;
    }
}

void PlotOverlay::paintCursor(QPainter& painter) {
    const auto& cursor = plot_.group_.cursor();
    if (!cursor || plot_.series_.empty()) return;
    const int nearest = plot_.series_[0].nearest(*cursor);
    if (nearest < 0) return;
    const PlotPoint& point = plot_.series_[0].points[static_cast<std::size_t>(nearest)];
    const QRect area = canvas_.axisRect()->rect();
    const double x = canvas_.xAxis->coordToPixel(at(point, plot_.group_.x()) / plot_.unit());
    if (x < area.left() - 1 || x > area.right() + 1) return;
    painter.setPen(QPen(colour(Hue::Text, this), 1, Qt::DotLine));
    painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()));
    if (plot_.size_ == Plot::Size::Full) paintReadOut(painter, x);
}

void PlotOverlay::paintReadOut(QPainter& painter, double x) {
    const QStringList lines = plot_.readOut();
    const QFont body = secondaryFont(plot_.font()), strong = strongFont(body);
    const QFontMetricsF metrics(body), strong_metrics(strong);
    double wide = 0;
    for (int i = 0; i < lines.size(); ++i)
        wide = std::max(wide, (i == 0 ? strong_metrics : metrics).horizontalAdvance(lines[i]));
    const double pad = 10, line_height = metrics.height() + 2;
    const QRect area = canvas_.axisRect()->rect();
    QRectF box(x + 12, area.top() + 12, wide + 2 * pad, line_height * static_cast<double>(lines.size()) + 2 * pad - 4);
    if (box.right() > area.right()) box.moveRight(x - 12);
    painter.setPen(QPen(colour(Hue::Line, this), 1));
    painter.setBrush(colour(Hue::Surface, this));
    painter.drawRoundedRect(box, 4, 4);
    double y = box.top() + pad - 2;
    // The first line says where; the others follow the series that have a value.
    std::size_t series = 0;
    for (int i = 0; i < lines.size(); ++i, y += line_height) {
        painter.setFont(i == 0 ? strong : body);
        Hue hue = Hue::Text;
        if (i > 0) {
            while (series < plot_.series_.size() && plot_.series_[series].points.empty()) ++series;
            if (series < plot_.series_.size()) hue = plot_.series_[series++].hue;
        }
        painter.setPen(colour(hue, this));
        painter.drawText(QRectF(box.left() + pad, y, wide + 2, line_height), Qt::AlignLeft | Qt::AlignVCenter,
                         lines[i]);
    }
}

PlotLegend::PlotLegend(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void PlotLegend::setSeries(const std::vector<Series>& series) {
    entries_.clear();
    for (const Series& one : series) {
        if (!one.points.empty()) entries_.push_back({one.name, one.hue, one.dotted});
    }
    updateGeometry();
    update();
}

QSize PlotLegend::sizeHint() const {
    const QFontMetrics metrics(secondaryFont(QApplication::font()));
    int wide = 0;
    for (const Entry& entry : entries_) wide += metrics.horizontalAdvance(entry.name) + 2 * metrics.height() + 8;
    return {wide, metrics.height() + 4};
}

void PlotLegend::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::ApplicationFontChange) updateGeometry();
}

void PlotLegend::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(secondaryFont(QApplication::font()));
    const QFontMetricsF metrics(painter.font());
    double x = 0;
    for (const Entry& entry : entries_) {
        const double length = metrics.height() * 1.1, middle = height() / 2.0;
        painter.setPen(linePen(colour(entry.hue, this), entry.dotted, 2));
        painter.drawLine(QPointF(x, middle), QPointF(x + length, middle));
        if (entry.dotted) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(colour(entry.hue, this));
            painter.drawEllipse(QPointF(x + length / 2, middle), 2.5, 2.5);
        }
        x += length + 6;
        painter.setPen(colour(Hue::Text, this));
        painter.drawText(QRectF(x, 0, metrics.horizontalAdvance(entry.name) + 2, height()),
                         Qt::AlignLeft | Qt::AlignVCenter, entry.name);
        x += metrics.horizontalAdvance(entry.name) + metrics.height() * 0.8;
    }
}

}  // namespace studio::ui
