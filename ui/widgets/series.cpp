#include "ui/widgets/series.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

QString tr(const char* source) {
    return QCoreApplication::translate("Series", source);
}

QByteArray cell(double value) {
    return std::isfinite(value) ? QByteArray::number(value, 'g', 9) : QByteArray();
}

// A name as a cell: quoted, and never a formula.
QByteArray head(const QString& name) {
    QString safe = name;
    safe.replace(QLatin1Char('"'), QLatin1String("\"\""));
    if (!safe.isEmpty() && QStringLiteral("=+-@\t\r").contains(safe.front())) safe.prepend(QLatin1Char('\''));
    return QByteArray("\"") + safe.toUtf8() + '"';
}

}  // namespace

double at(const PlotPoint& point, PlotX x) {
    return x == PlotX::Steps ? point.step : x == PlotX::Epochs ? point.epoch : point.seconds;
}

void Series::append(PlotPoint point) {
    if (!std::isfinite(point.value)) point.value = kNone;
    points.push_back(point);
}

int Series::nearest(double step) const {
    if (points.empty()) return -1;
    const auto next = std::lower_bound(points.begin(), points.end(), step,
                                       [](const PlotPoint& point, double wanted) { return point.step < wanted; });
    if (next == points.begin()) return 0;
    if (next == points.end()) return static_cast<int>(points.size()) - 1;
    const auto before = std::prev(next);
    return static_cast<int>((step - before->step <= next->step - step ? before : next) - points.begin());
}

std::vector<double> smoothedValues(const std::vector<PlotPoint>& points, double weight) {
    std::vector<double> out;
    out.reserve(points.size());
    double mean = 0, left = 1;  // left = weight^n
    for (const PlotPoint& point : points) {
        if (std::isnan(point.value)) {
            out.push_back(kNone);
            continue;
        }
        mean = weight * mean + (1 - weight) * point.value;
        left *= weight;
        out.push_back(mean / (1 - left));
    }
    return out;
}

std::vector<int> spikes(const std::vector<PlotPoint>& points) {
    constexpr double kWeight = 0.95;
    constexpr int kFirst = 20;  // before that the course is not known
    std::vector<int> found;
    double mean = 0, deviation = 0, left = 1;
    int seen = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double value = points[i].value;
        if (std::isnan(value)) continue;
        if (seen >= kFirst) {
            const double course = mean / (1 - left), usual = deviation / (1 - left);
            if (value - course > std::max(8 * usual, 0.15 * std::abs(course))) {
                found.push_back(static_cast<int>(i));
                continue;  // and does not shift the course
            }
        }
        const double off = seen == 0 ? 0 : std::abs(value - mean / (1 - left));
        mean = kWeight * mean + (1 - kWeight) * value;
        deviation = kWeight * deviation + (1 - kWeight) * off;
        left *= kWeight;
        ++seen;
    }
    return found;
}

Trend trend(const std::vector<PlotPoint>& points) {
    std::vector<PlotPoint> known;
    std::copy_if(points.begin(), points.end(), std::back_inserter(known),
                 [](const PlotPoint& point) { return !std::isnan(point.value); });
    if (known.size() < 2) return Trend::Unknown;
    const auto course = smoothedValues(known, known.size() > 20 ? 0.9 : 0.0);
    const std::size_t back = std::max<std::size_t>(1, known.size() / 5);
    const double now = course.back(), then = course[course.size() - 1 - back];
    const double size = std::max(std::abs(then), 1e-12);
    if (std::abs(now - then) < 0.002 * size) return Trend::Steady;
    return now < then ? Trend::Falling : Trend::Rising;
}

QString describe(const std::vector<Series>& series) {
    QStringList parts;
    for (const Series& one : series) {
        const auto last =
            std::find_if(one.points.rbegin(), one.points.rend(), [](const auto& p) { return !std::isnan(p.value); });
        if (last == one.points.rend()) continue;
        const QString value = significant(last->value, 4), step = number(static_cast<qint64>(last->step));
        switch (trend(one.points)) {
            case Trend::Falling:
                parts << tr("%1 %2 at step %3, falling").arg(one.name, value, step);
                break;
            case Trend::Rising:
                parts << tr("%1 %2 at step %3, rising").arg(one.name, value, step);
                break;
            case Trend::Steady:
                parts << tr("%1 %2 at step %3, steady").arg(one.name, value, step);
                break;
            case Trend::Unknown:
                parts << tr("%1 %2 at step %3").arg(one.name, value, step);
        }
    }
    return parts.isEmpty() ? tr("No values yet") : parts.join(QStringLiteral("; "));
}

QByteArray csv(const std::vector<Series>& series) {
    struct Row {
        PlotPoint where;
        std::vector<double> values;
    };
    std::map<double, Row> rows;
    for (std::size_t s = 0; s < series.size(); ++s) {
        for (const PlotPoint& point : series[s].points) {
            Row& row = rows[point.step];
            if (row.values.empty()) row = {point, std::vector<double>(series.size(), kNone)};
            row.values[s] = point.value;
        }
    }
    QByteArray out = "step,epoch,seconds";
    for (const Series& one : series) out += ',' + head(one.name);
    out += '\n';
    for (const auto& [step, row] : rows) {
        out += cell(step) + ',' + cell(row.where.epoch) + ',' + cell(row.where.seconds);
        for (const double value : row.values) out += ',' + cell(value);
        out += '\n';
    }
    return out;
}

}  // namespace studio::ui
