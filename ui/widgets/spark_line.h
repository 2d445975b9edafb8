// A small line without axes, for lists.
#pragma once

#include <QPainter>
#include <vector>

namespace studio::ui {

// At most `most` values, each the mean of its share; gaps are left out.
std::vector<float> sparkValues(const std::vector<double>& values, std::size_t most = 80);

// `reach` ≤ 1: how much of the box's width the values have come to.
void drawSparkLine(QPainter& painter, const QRectF& box, const std::vector<float>& values, const QColor& ink,
                   double reach = 1);

}  // namespace studio::ui
