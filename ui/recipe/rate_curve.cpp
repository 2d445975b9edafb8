#include "ui/recipe/rate_curve.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {

RateCurve::RateCurve(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Learning rate over the steps"));
}

QSize RateCurve::sizeHint() const {
    const int line = QFontMetrics(font()).height();
    return {line * 26, line * 8};
}

QSize RateCurve::minimumSizeHint() const {
    const int line = QFontMetrics(font()).height();
    return {line * 14, line * 8};
}

void RateCurve::setRun(const jobs::PreviewRun* run, bool stale) {
    stale_ = stale;
    points_ = run ? run->rates : std::vector<jobs::RatePoint>{};
    steps_ = run ? run->steps : 0;
    warmup_ = run ? run->warmup_steps : 0;
    top_ = 0;
    for (const jobs::RatePoint& point : points_) top_ = std::max(top_, point.rate);
    exponent_ = top_ > 0 ? static_cast<int>(std::floor(std::log10(top_) + 1e-9)) : 0;
    if (points_.empty()) {
        setAccessibleDescription(tr("Not known yet."));
    } else {
        setAccessibleDescription(tr("From %1 in step 1 to %2 in step %3, at most %4; %5 steps of warm-up.")
                                     .arg(significant(points_.front().rate, 3), significant(points_.back().rate, 3),
                                          number(static_cast<qint64>(steps_)), significant(top_, 3),
                                          number(static_cast<qint64>(warmup_))));
    }
    update();
}

QString RateCurve::title() const {
    if (points_.empty()) return tr("Learning rate");
    return tr("Learning rate × 1e%1 over %2 steps")
        .arg(QString::number(exponent_), number(static_cast<qint64>(steps_)));
}

void RateCurve::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(secondaryFont(font()));
    const QFontMetrics metrics(painter.font());
    const double line = metrics.height();
    const QRectF area(metrics.horizontalAdvance(QStringLiteral("10.0")) + 8, line * 0.6,
                      width() - metrics.horizontalAdvance(QStringLiteral("10.0")) - 8 -
                          metrics.horizontalAdvance(number(static_cast<qint64>(steps_))) / 2.0 - 2,
                      height() - line * 2.2);
    const double unit = std::pow(10.0, exponent_);
    const double high = top_ > 0 ? std::ceil(top_ / unit - 1e-9) * unit : unit;
    const int lines = high / unit <= 4 ? static_cast<int>(std::lround(high / unit)) : 2;
    for (int i = 0; i <= std::max(lines, 1); ++i) {
        const double value = high * i / std::max(lines, 1), y = area.bottom() - area.height() * i / std::max(lines, 1);
        painter.setPen(QPen(colour(Hue::Line, this), 1));
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        if (points_.empty()) continue;
        painter.setPen(colour(Hue::Secondary, this));
        const double shown = value / unit;
        painter.drawText(QRectF(0, y - line / 2, area.left() - 8, line), Qt::AlignRight | Qt::AlignVCenter,
                         number(shown, std::abs(shown - std::round(shown)) < 1e-9 ? 0 : 1));
    }
    if (points_.empty()) {
        painter.setPen(colour(Hue::Faint, this));
        painter.drawText(area, Qt::AlignCenter, absent());
        return;
    }
    const auto x = [&](double step) {
        return steps_ > 1 ? area.left() + area.width() * (step - 1) / static_cast<double>(steps_ - 1) : area.left();
    };
    painter.setPen(colour(Hue::Secondary, this));
    const int ticks = static_cast<int>(std::clamp<std::int64_t>(steps_ - 1, 1, 3));
    for (int i = 0; i <= ticks; ++i) {
        const auto step = static_cast<std::int64_t>(std::lround(1 + static_cast<double>(steps_ - 1) * i / ticks));
        const QString words = number(static_cast<qint64>(step));
        const double w = metrics.horizontalAdvance(words) + 2;
        painter.drawText(QRectF(x(static_cast<double>(step)) - w / 2, area.bottom() + 4, w, line), Qt::AlignCenter,
                         words);
        if (steps_ <= 1) break;
    }
    if (warmup_ > 0 && warmup_ < steps_) {
        const double bend = x(static_cast<double>(warmup_ + 1));
        painter.setPen(QPen(colour(Hue::Faint, this), 1, Qt::DashLine));
        painter.drawLine(QPointF(bend, area.top()), QPointF(bend, area.bottom()));
        painter.setPen(colour(Hue::Secondary, this));
        painter.drawText(QRectF(bend + 6, area.bottom() - line - 4, area.right() - bend, line),
                         Qt::AlignLeft | Qt::AlignVCenter,
                         tr("%n step(s) of warm-up", nullptr, static_cast<int>(warmup_)));
    }
    QPainterPath path;
    bool first = true;
    for (const jobs::RatePoint& point : points_) {
        const QPointF at(x(static_cast<double>(point.step)), area.bottom() - area.height() * point.rate / high);
        first ? path.moveTo(at) : path.lineTo(at);
        first = false;
    }
    painter.setBrush(Qt::NoBrush);
    painter.setPen(
        QPen(colour(stale_ ? Hue::Faint : Hue::Text, this), 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPath(path);
}

}  // namespace studio::ui
