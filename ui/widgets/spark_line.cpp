#include "ui/widgets/spark_line.h"

#include <QPainterPath>
#include <algorithm>
#include <cmath>

namespace studio::ui {

std::vector<float> sparkValues(const std::vector<double>& values, std::size_t most) {
    std::vector<float> out;
    const std::size_t count = std::min(most, values.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t begin = i * values.size() / count, end = (i + 1) * values.size() / count;
        double sum = 0;
        int known = 0;
        for (std::size_t k = begin; k < end; ++k) {
            if (!std::isfinite(values[k])) continue;
            sum += values[k];
            ++known;
        }
        if (known) out.push_back(static_cast<float>(sum / known));
    }
    return out;
}

void drawSparkLine(QPainter& painter, const QRectF& box, const std::vector<float>& values, const QColor& ink,
                   double reach) {
    if (values.size() < 2) return;
    // The top leaves out the few highest: the first steps would flatten all that follow.
    std::vector<float> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const float low = sorted.front(), high = sorted[(sorted.size() - 1) * 98 / 100];
    const float span = std::max(high - low, 1e-9F);
    QPainterPath path;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = box.left() + box.width() * reach * static_cast<double>(i) / double(values.size() - 1);
        const double share = std::clamp((values[i] - low) / span, 0.0F, 1.0F);
        const QPointF point(x, box.bottom() - box.height() * share);
        i == 0 ? path.moveTo(point) : path.lineTo(point);
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(ink, 1.5));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(path);
    painter.restore();
}

}  // namespace studio::ui
