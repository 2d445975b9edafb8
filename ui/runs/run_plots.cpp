#include "ui/runs/run_plots.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QJsonObject>
#include <QPushButton>
#include <QSlider>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/flow_layout.h"

namespace studio::ui {
namespace {

// Only the focused one follows the wheel; the page scrolls otherwise.
class QuietSlider final : public QSlider {
  public:
    using QSlider::QSlider;

  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QSlider::wheelEvent(event) : event->ignore(); }
};
class QuietCombo final : public QComboBox {
  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QComboBox::wheelEvent(event) : event->ignore(); }
};

PlotPoint valued(PlotPoint where, double value) {
    where.value = value;
    return where;
}

}  // namespace

RunPlots::RunPlots(QWidget* parent)
    : QWidget(parent),
      loss_(new Plot(tr("Loss"), group_, Plot::Size::Full)),
      rate_(new Plot(tr("Learning rate"), group_, Plot::Size::Small)),
      norm_(new Plot(tr("Gradient norm"), group_, Plot::Size::Small)),
      speed_(new Plot(tr("Tokens a second"), group_, Plot::Size::Small)),
      smoothing_(new QuietSlider(Qt::Horizontal)),
      measure_(new QuietCombo),
      log_(new QPushButton(tr("Log"))),
      table_(new QPushButton(tr("Table"))) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(3 * kSpace);

    smoothing_->setRange(0, 99);
    smoothing_->setValue(90);
    smoothing_->setFixedWidth(characterWidth(font()) * 12);
    smoothing_->setFocusPolicy(Qt::StrongFocus);
    smoothing_->setAccessibleName(tr("Smoothing of the training loss"));
    smoothing_->setToolTip(tr("Weight of the exponential mean, 0 to 0.99"));
    auto* smoothing_label = new Text(Text::Kind::Secondary, tr("S&moothing"));
    smoothing_label->setBuddy(smoothing_);
    measure_->addItems({tr("x: steps"), tr("x: epochs"), tr("x: time")});
    measure_->setAccessibleName(tr("Measure of the horizontal axis"));
    measure_->setFocusPolicy(Qt::StrongFocus);
    log_->setCheckable(true);
    log_->setAccessibleName(tr("Logarithmic loss axis"));
    log_->setToolTip(tr("Logarithmic loss axis"));
    table_->setCheckable(true);
    table_->setAccessibleName(tr("Show the values as a table"));
    table_->setToolTip(tr("Show the values as a table"));
    // In a narrow window the controls go on in a second line.
    auto* controls = new QWidget;
    auto* row = new FlowLayout(2 * kSpace, controls);
    row->setRightAligned(true);
    for (QWidget* control : std::initializer_list<QWidget*>{smoothing_label, smoothing_, measure_, log_, table_}) {
        control->setMinimumHeight(controlHeight(font()));
        row->addWidget(control);
    }
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    controls->setSizePolicy(policy);
    loss_->headerRow()->addWidget(controls, 1000);

    column->addWidget(loss_, 1);
    auto* small = new QHBoxLayout;
    small->setSpacing(6 * kSpace);
    for (Plot* plot : {rate_, norm_, speed_}) small->addWidget(plot, 1);
    column->addLayout(small);
    const int line = QFontMetrics(font()).height();
    loss_->setMinimumHeight(line * 14);
    for (Plot* plot : {rate_, norm_, speed_}) plot->setFixedHeight(line * 6);

    loss_->setFormat([](double value) { return number(value, 4); });
    rate_->setFormat([](double value) { return rateText(value); });
    norm_->setFormat([](double value) { return significant(value, 3); });
    norm_->setFromZero(true);
    rate_->setFromZero(true);
    speed_->setFromZero(true);
    speed_->setFormat([](double value) { return number(static_cast<qint64>(value + 0.5)); });

    connect(smoothing_, &QSlider::valueChanged, this, [this](int value) { group_.setSmoothing(value / 100.0); });
    connect(measure_, &QComboBox::currentIndexChanged, this,
            [this](int index) { group_.setX(static_cast<PlotX>(index)); });
    connect(log_, &QPushButton::toggled, loss_, &Plot::setLogarithmic);
    connect(table_, &QPushButton::toggled, loss_, &Plot::setTableShown);
    connect(loss_, &Plot::tableShownChanged, table_, &QPushButton::setChecked);
    for (Plot* plot : plots()) {
        connect(plot, &Plot::exportPngWanted, this, [this, plot] { Q_EMIT exportPngWanted(plot); });
        connect(plot, &Plot::exportCsvWanted, this, [this, plot] { Q_EMIT exportCsvWanted(plot); });
    }
}

std::vector<PlotPoint> RunPlots::wherePoints(const RunData& run, int first) {
    std::vector<PlotPoint> points;
    for (std::size_t i = static_cast<std::size_t>(first); i < run.metrics.steps.size(); ++i) {
        const project::StepRecord& step = run.metrics.steps[i];
        if (std::isfinite(step.seconds)) seconds_ += step.seconds;
        until_.push_back(seconds_);
        points.push_back({static_cast<double>(step.step), step.epoch, seconds_, 0});
    }
    return points;
}

// Steps are counted from 1 without holes, so that step s stands at s − first.
PlotPoint RunPlots::evaluationPoint(const RunData& run, const project::EvalRecord& record) const {
    PlotPoint point{static_cast<double>(record.step), 0, 0, record.eval_loss};
    if (run.metrics.steps.empty() || record.step <= 0) return point;
    const qint64 index = std::clamp<qint64>(record.step - run.metrics.steps.front().step, 0,
                                            static_cast<qint64>(run.metrics.steps.size()) - 1);
    point.epoch = run.metrics.steps[static_cast<std::size_t>(index)].epoch;
    if (static_cast<std::size_t>(index) < until_.size()) point.seconds = until_[static_cast<std::size_t>(index)];
    return point;
}

void RunPlots::setData(const RunData* run, qint64 total) {
    seconds_ = 0;
    until_.clear();
    // The same run read again stays as it is looked at.
    if (!run || run->folder != shown_) {
        group_.setCursor(std::nullopt);
        group_.setRange(std::nullopt);
        group_.setEnd({});
        shown_ = run ? run->folder : std::filesystem::path();
    }
    Series training{tr("training"), Hue::Training, true, false},
        validation{tr("validation"), Hue::Validation, false, true};
    Series rate{tr("learning rate"), Hue::Bar}, norm{tr("gradient norm"), Hue::Training},
        speed{tr("tokens a second"), Hue::Bar};
    if (run) {
        const auto points = wherePoints(*run, 0);
        for (std::size_t i = 0; i < points.size(); ++i) {
            const project::StepRecord& step = run->metrics.steps[i];
            training.append(valued(points[i], step.loss));
            rate.append(valued(points[i], step.learning_rate));
            norm.append(valued(points[i], step.grad_norm));
            speed.append(valued(points[i], static_cast<double>(step.tokens) / step.seconds));
        }
        for (const project::EvalRecord& record : run->metrics.evaluations)
            validation.append(evaluationPoint(*run, record));
        setTotal(*run, total);
    }
    loss_->setSeries({std::move(training), std::move(validation)});
    rate_->setSeries({std::move(rate)});
    norm_->setSeries({std::move(norm)});
    speed_->setSeries({std::move(speed)});
}

void RunPlots::appendSteps(const RunData& run, int first) {
    const auto points = wherePoints(run, first);
    std::vector<PlotPoint> loss, rate, norm, speed;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const project::StepRecord& step = run.metrics.steps[static_cast<std::size_t>(first) + i];
        loss.push_back(valued(points[i], step.loss));
        rate.push_back(valued(points[i], step.learning_rate));
        norm.push_back(valued(points[i], step.grad_norm));
        speed.push_back(valued(points[i], static_cast<double>(step.tokens) / step.seconds));
    }
    loss_->append(0, loss);
    rate_->append(0, rate);
    norm_->append(0, norm);
    speed_->append(0, speed);
}

void RunPlots::appendEvaluations(const RunData& run) {
    const auto& shown = loss_->series()[1].points;
    const double last = shown.empty() ? -1 : shown.back().step;
    std::vector<PlotPoint> points;
    for (const project::EvalRecord& record : run.metrics.evaluations) {
        if (static_cast<double>(record.step) > last) points.push_back(evaluationPoint(run, record));
    }
    if (!points.empty()) loss_->append(1, points);
}

// The axis reaches to the last planned step, in each of its measures.
void RunPlots::setTotal(const RunData& run, qint64 total) {
    PlotPoint end;
    if (!run.metrics.steps.empty() && run.info.state != project::RunState::Finished) {
        const project::StepRecord& last = run.metrics.steps.back();
        const double times =
            std::max(1.0, static_cast<double>(total) / static_cast<double>(std::max<qint64>(1, last.step)));
        end = {static_cast<double>(total), last.epoch * times, seconds_ * times, 0};
    } else {
        end.step = static_cast<double>(total);
    }
    if (end.step != group_.end().step || run.metrics.steps.size() % 50 == 0) group_.setEnd(end);
}

bool RunPlots::escape() {
    return loss_->escape();
}

QJsonObject RunPlots::saveState() const {
    return {{QStringLiteral("smoothing"), smoothing_->value()},
            {QStringLiteral("x"), measure_->currentIndex()},
            {QStringLiteral("log"), log_->isChecked()},
            {QStringLiteral("values"), table_->isChecked()}};
}

void RunPlots::restoreState(const QJsonObject& state) {
    smoothing_->setValue(state.value(QStringLiteral("smoothing")).toInt(90));
    measure_->setCurrentIndex(std::clamp(state.value(QStringLiteral("x")).toInt(0), 0, 2));
    log_->setChecked(state.value(QStringLiteral("log")).toBool());
    table_->setChecked(state.value(QStringLiteral("values")).toBool());
}

}  // namespace studio::ui
