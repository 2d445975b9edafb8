#include "ui/recipe/length_bars.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {

LengthBars::LengthBars(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Length of conversations"));
}

QSize LengthBars::sizeHint() const {
    const int line = QFontMetrics(font()).height();
    return {line * 26, line * 7};
}

QSize LengthBars::minimumSizeHint() const {
    const int line = QFontMetrics(font()).height();
    return {line * 14, line * 7};
}

void LengthBars::setRun(const jobs::PreviewRun* run, bool stale) {
    stale_ = stale;
    counts_ = run ? run->lengths : std::vector<int>{};
    longest_ = run ? run->longest : 0;
    most_ = counts_.empty() ? 0 : *std::max_element(counts_.begin(), counts_.end());
    const double whole = run ? static_cast<double>(run->tokens + run->held_out_tokens + run->cut_tokens) : 0;
    cut_ = whole > 0 ? static_cast<double>(run->cut_tokens) / whole : 0;
    setAccessibleDescription(counts_.empty() ? tr("Not known yet.")
                                             : tr("From 0 to %1 tokens; %2 of the tokens are beyond it.")
                                                   .arg(number(static_cast<qint64>(longest_)), percent(cut_, 1)));
    update();
}

QString LengthBars::title() const {
    if (counts_.empty()) return tr("Length of conversations, tokens");
    if (cut_ <= 0) return tr("Length of conversations, tokens · none is cut");
    return tr("Length of conversations, tokens · %1 of all are cut at %2")
        .arg(percent(cut_, cut_ < 0.1 ? 1 : 0), number(static_cast<qint64>(longest_)));
}

void LengthBars::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(secondaryFont(font()));
    const QFontMetrics metrics(painter.font());
    const double line = metrics.height(), left = metrics.horizontalAdvance(QStringLiteral("10.0")) + 8;
    const QRectF area(left, line * 0.6,
                      width() - left - metrics.horizontalAdvance(number(static_cast<qint64>(longest_))) / 2.0 - 2,
                      height() - line * 2.2);
    painter.setPen(QPen(colour(Hue::Line, this), 1));
    painter.drawLine(area.bottomLeft(), area.bottomRight());
    if (counts_.empty() || most_ == 0) {
        painter.setPen(colour(Hue::Faint, this));
        painter.drawText(area, Qt::AlignCenter, absent());
        return;
    }
    painter.setPen(colour(Hue::Secondary, this));
    painter.drawText(QRectF(0, area.top() - line / 2, left - 8, line), Qt::AlignRight | Qt::AlignVCenter,
                     number(static_cast<qint64>(most_)));
    painter.drawText(QRectF(0, area.bottom() - line / 2, left - 8, line), Qt::AlignRight | Qt::AlignVCenter,
                     QStringLiteral("0"));
    const double step = area.width() / static_cast<double>(counts_.size());
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        const double height = area.height() * counts_[i] / most_;
        const QRectF bar(area.left() + step * static_cast<double>(i) + 1, area.bottom() - height, step - 2, height);
        painter.fillRect(bar, colour(stale_ ? Hue::BarFaint : Hue::Bar, this));
    }
    painter.setPen(colour(Hue::Secondary, this));
    for (int i = 0; i <= 4; ++i) {
        const QString words = number(static_cast<qint64>(std::lround(longest_ * i / 4.0)));
        const double x = area.left() + area.width() * i / 4, w = metrics.horizontalAdvance(words) + 2;
        painter.drawText(QRectF(x - w / 2, area.bottom() + 4, w, line), Qt::AlignCenter, words);
    }
    if (cut_ > 0) {
        painter.setPen(QPen(colour(Hue::Text, this), 1, Qt::DashLine));
        painter.drawLine(QPointF(area.right(), area.top() - 2), area.bottomRight());
    }
}

}  // namespace studio::ui
