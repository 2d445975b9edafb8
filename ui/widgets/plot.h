// Quantities over the steps of a run: drawn, read by cursor, zoomed, and as a table for those who do not see it.
#pragma once

#include <QAction>
#include <QTimer>
#include <QWidget>
#include <optional>

#include "ui/widgets/series.h"

class QCustomPlot;
class QHBoxLayout;
class QStackedWidget;

namespace studio::ui {

class ElidedText;
class PlotLegend;
class PlotOverlay;
class PlotTableModel;
class RowTable;

// What several plots of one run share: the measure of the horizontal axis, its cut-out, smoothing and the cursor.
class PlotGroup : public QObject {
    Q_OBJECT
  public:
    using QObject::QObject;
    PlotX x() const { return x_; }
    void setX(PlotX x);
    double smoothing() const { return smoothing_; }  // [0, 0.99]
    void setSmoothing(double weight);
    // In the measure of x(); nullopt: everything.
    const std::optional<std::pair<double, double>>& range() const { return range_; }
    void setRange(std::optional<std::pair<double, double>> range);
    const std::optional<double>& cursor() const { return cursor_; }  // a step
    void setCursor(std::optional<double> step);
    // The last point the axis reaches to, beyond the data while a run goes on.
    const PlotPoint& end() const { return end_; }
    void setEnd(const PlotPoint& end);

  Q_SIGNALS:
    void viewChanged();
    void cursorChanged();

  private:
    PlotX x_ = PlotX::Steps;
    double smoothing_ = 0.9;
    std::optional<std::pair<double, double>> range_;
    std::optional<double> cursor_;
    PlotPoint end_;
};

class Plot : public QWidget {
    Q_OBJECT
  public:
    enum class Size { Full, Small };  // Small: no axes, the current figure beside the title
    Plot(const QString& title, PlotGroup& group, Size size, QWidget* parent = nullptr);
    ~Plot() override;

    void setSeries(std::vector<Series> series);
    void append(int series, const std::vector<PlotPoint>& points);  // steps must rise
    const std::vector<Series>& series() const { return series_; }
    // How the figure of a small plot is written; also in the read-out.
    void setFormat(std::function<QString(double)> format);

    QHBoxLayout* headerRow() { return header_; }
    void setFromZero(bool on) { from_zero_ = on; }  // the vertical axis begins at 0
    void setLogarithmic(bool on);
    bool logarithmic() const { return logarithmic_; }
    void setTableShown(bool shown);
    bool tableShown() const;

    QByteArray csv() const { return ui::csv(series_); }
    QImage picture();
    QString title() const { return title_; }
    // Esc: takes cursor and zoom back. False if there was neither.
    bool escape();
    QStringList readOut() const;  // the lines of the cursor's box

  Q_SIGNALS:
    void exportPngWanted();
    void exportCsvWanted();
    void tableShownChanged(bool shown);

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    friend class PlotOverlay;
    void later(bool values);
    void draw();
    void rebuildGraphs();
    void restyle();
    void fitValues(double low, double high);
    void tellFigure();
    void moveCursor(int points);
    void zoom(double factor, double around);
    void pan(double share);
    std::pair<double, double> fullRange() const;
    std::pair<double, double> shownRange() const;
    double unit() const;  // seconds of one unit of the time axis; 1 elsewhere
    double stepAt(double x) const;
    QString whereText(const PlotPoint& point) const;

    QString title_;
    PlotGroup& group_;
    Size size_;
    std::vector<Series> series_;
    std::vector<std::vector<double>> smooth_;
    std::vector<int> spikes_;  // of the first series
    std::function<QString(double)> format_;
    bool logarithmic_ = false, from_zero_ = false, data_changed_ = true;
    QHBoxLayout* header_;
    ElidedText* title_text_;
    PlotLegend* legend_ = nullptr;
    class Text* figure_ = nullptr;
    QStackedWidget* stack_;
    QCustomPlot* canvas_;
    PlotOverlay* overlay_;
    RowTable* table_;
    PlotTableModel* table_model_;
    QTimer timer_;
    std::optional<QPoint> pressed_;
    bool panning_ = false;
    std::pair<double, double> pressed_range_;
};

}  // namespace studio::ui
