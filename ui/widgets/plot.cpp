#include "ui/widgets/plot.h"

#include "ui/widgets/custom_plot.h"

#include <cmath>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/plot_overlay.h"
#include "ui/widgets/plot_table.h"
#include "ui/widgets/row_table.h"

namespace studio::ui {
namespace {

// Labels of the horizontal axis in whole steps, epochs or units of time.
class WhereTicker final : public QCPAxisTicker {
  public:
    PlotX x = PlotX::Steps;
    QString suffix;

  protected:
    double getTickStep(const QCPRange& range) override {
        const double step = QCPAxisTicker::getTickStep(range);
        return x == PlotX::Steps ? std::max(1.0, std::ceil(step)) : step;
    }
    QString getTickLabel(double tick, const QLocale& locale, QChar, int) override {
        if (x == PlotX::Steps) return number(static_cast<qint64>(std::llround(tick)));
        const QString figure = locale.toString(std::abs(tick) < 1e-9 ? 0.0 : tick, 'g', 4);
        return suffix.isEmpty() ? figure : suffix.arg(figure);
    }
};

class ValueTicker final : public QCPAxisTicker {
  protected:
    QString getTickLabel(double tick, const QLocale& locale, QChar, int) override {
        return locale.toString(std::abs(tick) < 1e-12 ? 0.0 : tick, 'g', 4);
    }
};

}  // namespace

Plot::Plot(const QString& title, PlotGroup& group, Size size, QWidget* parent)
    : QWidget(parent),
      title_(title),
      group_(group),
      size_(size),
      format_([](double value) { return significant(value, 5); }),
      header_(new QHBoxLayout),
      title_text_(new ElidedText(Text::Kind::Section, title)),
      stack_(new QStackedWidget),
      canvas_(new QCustomPlot),
      overlay_(new PlotOverlay(*this, *canvas_)),
      table_(new RowTable),
      table_model_(new PlotTableModel(this)) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(title);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(kSpace);
    header_->setSpacing(3 * kSpace);
    header_->addWidget(title_text_);
    if (size == Size::Full) {
        legend_ = new PlotLegend;
        header_->addWidget(legend_);
        header_->addStretch(1);
        title_text_->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    } else {
        figure_ = new Text(Text::Kind::Strong);
        figure_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        header_->addWidget(figure_);
    }
    column->addLayout(header_);
    stack_->addWidget(canvas_);
    stack_->addWidget(table_);
    column->addWidget(stack_, 1);

    canvas_->setFocusPolicy(Qt::NoFocus);
    canvas_->setMouseTracking(true);
    canvas_->installEventFilter(this);
    canvas_->setPlottingHint(QCP::phFastPolylines, true);
    canvas_->setNoAntialiasingOnDrag(true);
    canvas_->xAxis->setTicker(QSharedPointer<WhereTicker>::create());
    canvas_->yAxis->setTicker(QSharedPointer<ValueTicker>::create());
    for (QCPAxis* axis : {canvas_->xAxis, canvas_->yAxis}) {
        axis->setSubTicks(false);
        axis->setTickPen(Qt::NoPen);
        axis->grid()->setZeroLinePen(Qt::NoPen);
    }
    canvas_->xAxis->grid()->setVisible(false);
    canvas_->yAxis->setBasePen(Qt::NoPen);
    canvas_->yAxis->setTickLabels(size == Size::Full);
    canvas_->yAxis->grid()->setVisible(size == Size::Full);
    canvas_->xAxis->setTickLabels(size == Size::Full);
    if (size == Size::Small) {
        canvas_->axisRect()->setAutoMargins(QCP::msNone);
        canvas_->axisRect()->setMargins(QMargins(1, 2, 1, 2));
    }
    canvas_->setMinimumHeight(QFontMetrics(font()).height() * (size == Size::Full ? 8 : 3));

    table_->setModel(table_model_);
    table_->setAccessibleName(tr("Values of %1").arg(title));

    timer_.setSingleShot(true);
    connect(&timer_, &QTimer::timeout, this, &Plot::draw);
    connect(&group_, &PlotGroup::viewChanged, this, [this] { later(false); });
    connect(&group_, &PlotGroup::cursorChanged, this, [this] {
        overlay_->update();
        tellFigure();
        if (hasFocus()) setAccessibleDescription(readOut().join(QStringLiteral(", ")));
    });
    connect(canvas_, &QCustomPlot::afterReplot, overlay_, qOverload<>(&QWidget::update));
    restyle();
}

Plot::~Plot() = default;

void Plot::setSeries(std::vector<Series> series) {
    const bool same = series.size() == series_.size();
    series_ = std::move(series);
    if (!same) rebuildGraphs();
    if (legend_) legend_->setSeries(series_);
    later(true);
    tellFigure();
}

void Plot::append(int index, const std::vector<PlotPoint>& points) {
    Series& series = series_.at(static_cast<std::size_t>(index));
    const bool first = series.points.empty();
    for (const PlotPoint& point : points) series.append(point);
    if (first && legend_) legend_->setSeries(series_);
    later(true);
    tellFigure();
}

void Plot::setFormat(std::function<QString(double)> format) {
    format_ = std::move(format);
    tellFigure();
}

// Data is drawn at most ten times a second, a change of view at the next turn of the event loop.
void Plot::later(bool values) {
    data_changed_ |= values;
    const int wait = values ? 100 : 0;
    if (!timer_.isActive() || timer_.remainingTime() > wait) timer_.start(wait);
}

// Two graphs a smoothed series (raw below), one for the others.
void Plot::rebuildGraphs() {
    canvas_->clearGraphs();
    for (const Series& series : series_) {
        if (series.smoothed) canvas_->addGraph();
        canvas_->addGraph();
    }
    restyle();
}

void Plot::restyle() {
    const QFont small = secondaryFont(font());
    canvas_->setBackground(QBrush(colour(Hue::Window, this)));
    for (QCPAxis* axis : {canvas_->xAxis, canvas_->yAxis}) {
        axis->setTickLabelFont(small);
        axis->setTickLabelColor(colour(Hue::Secondary, this));
        axis->setTickLabelPadding(6);
        axis->grid()->setPen(QPen(colour(Hue::Line, this), 1));
    }
    canvas_->xAxis->setBasePen(QPen(colour(Hue::Line, this), 1));
    int graph = 0;
    for (const Series& series : series_) {
        if (graph >= canvas_->graphCount()) break;
        const QColor ink = colour(series.hue, this);
        if (series.smoothed) {
            QColor faint = ink;
            faint.setAlphaF(isDark(palette()) ? 0.38F : 0.30F);
            canvas_->graph(graph++)->setPen(QPen(faint, 1));
        }
        QCPGraph* line = canvas_->graph(graph++);
        line->setPen(linePen(ink, series.dotted, size_ == Size::Full ? 2 : 1.5));
        line->setAntialiased(true);
        if (series.dotted) line->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, ink, ink, 6));
    }
    later(false);
}

double Plot::unit() const {
    if (group_.x() != PlotX::Time) return 1;
    const double most = std::max(group_.end().seconds,
                                 series_.empty() || series_[0].points.empty() ? 0 : series_[0].points.back().seconds);
    return most > 3 * 3600 ? 3600 : most > 180 ? 60 : 1;
}

std::pair<double, double> Plot::fullRange() const {
    double low = 0, high = at(group_.end(), group_.x());
    for (const Series& series : series_) {
        if (!series.points.empty()) high = std::max(high, at(series.points.back(), group_.x()));
    }
    if (high <= low) high = low + 1;
    return {low, high};
}

std::pair<double, double> Plot::shownRange() const {
    return group_.range().value_or(fullRange());
}

void Plot::draw() {
    const auto [low, high] = shownRange();
    const double scale = unit();
    auto ticker = qSharedPointerCast<WhereTicker>(canvas_->xAxis->ticker());
    ticker->x = group_.x();
    ticker->suffix = group_.x() != PlotX::Time ? QString()
                     : scale == 1              ? tr("%1 s")
                     : scale == 60             ? tr("%1 min")
                                               : tr("%1 h");
    if (data_changed_) {
        data_changed_ = false;
        if (tableShown()) table_model_->setSeries(series_, format_);
        spikes_ = !series_.empty() && series_[0].smoothed ? spikes(series_[0].points) : std::vector<int>();
        setAccessibleDescription(describe(series_));
    }
    smooth_.clear();
    int graph = 0;
    for (const Series& series : series_) {
        smooth_.push_back(series.smoothed ? smoothedValues(series.points, group_.smoothing()) : std::vector<double>());
        QVector<double> x, y;
        x.reserve(static_cast<qsizetype>(series.points.size()));
        y.reserve(static_cast<qsizetype>(series.points.size()));
        for (const PlotPoint& point : series.points) {
            x.push_back(at(point, group_.x()) / scale);
            y.push_back(logarithmic_ && point.value <= 0 ? qQNaN() : point.value);
        }
        if (series.smoothed) {
            canvas_->graph(graph++)->setData(x, y, true);
            for (qsizetype i = 0; i < y.size(); ++i) {
                const double value = smooth_.back()[static_cast<std::size_t>(i)];
                y[i] = logarithmic_ && value <= 0 ? qQNaN() : value;
            }
        }
        canvas_->graph(graph++)->setData(x, y, true);
    }
    fitValues(low, high);
    // A little air, so that the first and last dots are whole.
    const double air = group_.range() ? 0 : (high - low) * 0.008;
    canvas_->xAxis->setRange((low - air) / scale, (high + air) / scale);
    canvas_->replot(QCustomPlot::rpQueuedRefresh);
}

// The vertical range of what is in sight: all smoothed values and dots, of the raw ones all but the outermost
// hundredth, so that one spike does not flatten the rest.
void Plot::fitValues(double low, double high) {
    double least = INFINITY, most = -INFINITY;
    const auto take = [&](double value) {
        if (std::isnan(value) || (logarithmic_ && value <= 0)) return;
        least = std::min(least, value);
        most = std::max(most, value);
    };
    for (std::size_t s = 0; s < series_.size(); ++s) {
        std::vector<double> raw;
        for (std::size_t i = 0; i < series_[s].points.size(); ++i) {
            const PlotPoint& point = series_[s].points[i];
            const double x = at(point, group_.x());
            if (x < low || x > high) continue;
            if (!series_[s].smoothed)
                take(point.value);
            else {
                take(smooth_[s][i]);
                if (!std::isnan(point.value)) raw.push_back(point.value);
            }
        }
        if (raw.size() < 2) continue;
        const auto cut = static_cast<std::ptrdiff_t>(raw.size() / 100);
        std::nth_element(raw.begin(), raw.begin() + cut, raw.end());
        take(raw[static_cast<std::size_t>(cut)]);
        std::nth_element(raw.begin(), raw.end() - 1 - cut, raw.end());
        take(*(raw.end() - 1 - cut));
    }
    if (from_zero_ && least <= most) least = 0;
    if (least > most) {
        least = logarithmic_ ? 1 : 0;
        most = logarithmic_ ? 10 : 1;
    }
    canvas_->yAxis->setScaleType(logarithmic_ ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    if (logarithmic_) {
        const double room = std::max(std::pow(most / least, 0.06), 1.001);
        canvas_->yAxis->setRange(least / room, most * room);
    } else {
        const double room = std::max((most - least) * 0.06, least == most ? std::abs(most) * 0.1 + 1e-12 : 0);
        canvas_->yAxis->setRange(from_zero_ ? least : least - room, most + room);
    }
}

// The last value, or that at the cursor.
void Plot::tellFigure() {
    if (!figure_) return;
    QString words = absent();
    if (!series_.empty() && !series_[0].points.empty()) {
        const auto& points = series_[0].points;
        const int index = group_.cursor() ? series_[0].nearest(*group_.cursor()) : static_cast<int>(points.size()) - 1;
        const double value = points[static_cast<std::size_t>(index)].value;
        if (!std::isnan(value)) words = format_(value);
    }
    figure_->setText(words);
}

QString Plot::whereText(const PlotPoint& point) const {
    return tr("Step %1 · epoch %2").arg(number(static_cast<qint64>(point.step)), number(point.epoch, 2));
}

QStringList Plot::readOut() const {
    if (!group_.cursor() || series_.empty()) return {};
    QStringList lines;
    for (std::size_t s = 0; s < series_.size(); ++s) {
        const int index = series_[s].nearest(*group_.cursor());
        if (index < 0) continue;
        const PlotPoint& point = series_[s].points[static_cast<std::size_t>(index)];
        if (lines.isEmpty()) lines << whereText(point);
        const bool smooth = series_[s].smoothed && group_.smoothing() > 0 && s < smooth_.size() &&
                            static_cast<std::size_t>(index) < smooth_[s].size();
        const double value = smooth ? smooth_[s][static_cast<std::size_t>(index)] : point.value;
        const QString figure = std::isnan(value) ? absent() : format_(value);
        lines << (smooth ? tr("%1 %2 (smoothed)") : QStringLiteral("%1 %2")).arg(series_[s].name, figure);
    }
    return lines;
}

void Plot::setLogarithmic(bool on) {
    logarithmic_ = on;
    later(false);
}

bool Plot::tableShown() const {
    return stack_->currentWidget() == table_;
}

void Plot::setTableShown(bool shown) {
    if (shown == tableShown()) return;
    stack_->setCurrentWidget(shown ? static_cast<QWidget*>(table_) : canvas_);
    if (shown) {
        table_model_->setSeries(series_, format_);
        table_->resizeColumnsToContents();
    }
    Q_EMIT tableShownChanged(shown);
}

QImage Plot::picture() {
    draw();
    canvas_->replot(QCustomPlot::rpImmediateRefresh);
    QImage image(size() * devicePixelRatioF(), QImage::Format_RGB32);
    image.setDevicePixelRatio(devicePixelRatioF());
    image.fill(colour(Hue::Window, this));
    render(&image, {}, {}, QWidget::DrawChildren);
    return image;
}

void Plot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) restyle();
}

}  // namespace studio::ui
