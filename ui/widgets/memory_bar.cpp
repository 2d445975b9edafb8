#include "ui/widgets/memory_bar.h"

#include <QPainter>

#include "ui/look/colours.h"

namespace studio::ui {

MemoryBar::MemoryBar(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Memory"));
}

QSize MemoryBar::sizeHint() const {
    return {160, QFontMetrics(font()).height()};
}

void MemoryBar::setParts(const std::vector<quint64>& parts, quint64 whole) {
    parts_ = parts;
    whole_ = whole;
    update();
}

void MemoryBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), colour(Hue::Chip, this));
    if (whole_ == 0) return;
    double x = 0;
    bool strong = true;
    for (const quint64 part : parts_) {
        const double w = width() * (static_cast<double>(part) / static_cast<double>(whole_));
        painter.fillRect(QRectF(x, 0, std::max(w - 1, 1.0), height()), colour(strong ? Hue::Bar : Hue::BarFaint, this));
        x += w;
        strong = !strong;
    }
}

}  // namespace studio::ui
