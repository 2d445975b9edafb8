// A quantity over the steps of a run, and what can be said of it without drawing it.
#pragma once

#include <QByteArray>
#include <QString>
#include <vector>

#include "ui/look/colours.h"

namespace studio::ui {

struct PlotPoint {
    double step = 0, epoch = 0, seconds = 0;  // where; `seconds` of training until then
    double value = 0;                         // NaN: none (a gap in the line)
};

enum class PlotX { Steps, Epochs, Time };
double at(const PlotPoint& point, PlotX x);

struct Series {
    QString name;  // "training"
    Hue hue = Hue::Training;
    bool smoothed = false;  // the raw values faint, the smoothed ones strong, spikes marked
    bool dotted = false;    // dashed with dots: the second cue
    std::vector<PlotPoint> points = {};

    // Infinite values become gaps.
    void append(PlotPoint point);
    // Of the point nearest to `step`; -1 without points.
    int nearest(double step) const;
};

// Exponential moving average, corrected for its start at zero (Kingma and Ba, section 3). Gaps stay gaps and do not
// count. `weight` in [0, 1): 0 gives the values themselves.
std::vector<double> smoothedValues(const std::vector<PlotPoint>& points, double weight);

// Indices of values that stand out upwards: above the course so far by more than 8 mean deviations and 15 %.
std::vector<int> spikes(const std::vector<PlotPoint>& points);

enum class Trend { Unknown, Falling, Steady, Rising };
Trend trend(const std::vector<PlotPoint>& points);

// "training 1.51 at step 420, falling; validation 1.60 at step 400": what a reader hears.
QString describe(const std::vector<Series>& series);

// step,epoch,seconds and a column a series, one line a step; empty where a series has no value there.
QByteArray csv(const std::vector<Series>& series);

}  // namespace studio::ui
