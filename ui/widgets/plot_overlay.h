// What lies over a plot's lines and changes without drawing them again: cursor, read-out, spikes, rubber band.
#pragma once

#include <QWidget>
#include <optional>

#include "ui/widgets/plot.h"

namespace studio::ui {

class PlotOverlay : public QWidget {
    Q_OBJECT
  public:
    PlotOverlay(Plot& plot, QCustomPlot& canvas);
    void setBand(std::optional<QRect> band);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void paintSpikes(QPainter& painter);
    void paintCursor(QPainter& painter);
    void paintReadOut(QPainter& painter, double x);
    Plot& plot_;
    QCustomPlot& canvas_;
    std::optional<QRect> band_;
};

// The lines' names, each with a piece of its line.
class PlotLegend : public QWidget {
    Q_OBJECT
  public:
    explicit PlotLegend(QWidget* parent = nullptr);
    void setSeries(const std::vector<Series>& series);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

  protected:
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    struct Entry {
        QString name;
        Hue hue;
        bool dotted;
    };
    std::vector<Entry> entries_;
};

QPen linePen(const QColor& colour, bool dotted, double width);

}  // namespace studio::ui
