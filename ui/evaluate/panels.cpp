#include "ui/evaluate/panels.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

FigureRow::FigureRow(QWidget* parent) : QWidget(parent), row_(new QHBoxLayout(this)) {
    row_->setContentsMargins(0, 0, 0, 0);
    row_->setSpacing(6 * kSpace);
}

void FigureRow::setFigures(const std::vector<Figure>& figures) {
    while (blocks_.size() < figures.size()) {
        Block block{new QWidget, new Text(Text::Kind::Section), new Text(Text::Kind::Figure),
                    new Text(Text::Kind::Secondary)};
        auto* column = new QVBoxLayout(block.widget);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(2);
        column->addWidget(block.title);
        column->addWidget(block.value);
        block.below->setWordWrap(true);
        block.below->setObjectName(QStringLiteral("below"));
        column->addWidget(block.below);
        column->addStretch(1);
        // The first has the most to say.
        constexpr int kShares[] = {9, 6, 4};
        row_->addWidget(block.widget, kShares[std::min<std::size_t>(blocks_.size(), 2)]);
        blocks_.push_back(block);
    }
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        blocks_[i].widget->setVisible(i < figures.size());
        if (i >= figures.size()) continue;
        blocks_[i].title->setText(figures[i].title);
        blocks_[i].value->setText(figures[i].value);
        blocks_[i].below->setText(QString(figures[i].below).replace(QLatin1String(" %"), QStringLiteral("\u00a0%")));
        blocks_[i].widget->setToolTip(figures[i].tool_tip);
    }
}

PhaseList::PhaseList(QWidget* parent)
    : QWidget(parent),
      title_(new Text(Text::Kind::Title)),
      hint_(new Text(Text::Kind::Secondary)),
      grid_(new QGridLayout),
      cancel_(new QPushButton(tr("Cancel"))) {
    auto* page = new QVBoxLayout(this);
    page->setContentsMargins(6 * kSpace, 5 * kSpace, 6 * kSpace, 5 * kSpace);
    auto* inner = new QWidget;
    inner->setMaximumWidth(characterWidth(font()) * 96);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4 * kSpace);
    title_->setWordWrap(true);
    hint_->setWordWrap(true);
    column->addWidget(title_);
    column->addWidget(hint_);
    grid_->setHorizontalSpacing(4 * kSpace);
    grid_->setVerticalSpacing(2 * kSpace);
    grid_->setColumnStretch(1, 1);
    grid_->setContentsMargins(QFontMetrics(font()).height() + 2 * kSpace, 0, 0, 0);
    column->addLayout(grid_);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(cancel_);
    buttons->addStretch(1);
    column->addLayout(buttons);
    page->addWidget(inner);
    page->addStretch(1);
}

void PhaseList::setPhases(const QString& title, const std::vector<EvaluationsPresenter::Phase>& phases,
                          const QString& waiting_for) {
    title_->setText(tr("Evaluating %1").arg(title));
    hint_->setText(!phases.empty()         ? tr("The result is kept when all of it is measured.")
                   : waiting_for.isEmpty() ? tr("Opening the engine…")
                                           : tr("Waiting: %1 has the engine now.").arg(waiting_for));
    used_ = phases.size();
    while (rows_.size() < phases.size()) {
        Row row{new Text(Text::Kind::Body), new Text(Text::Kind::Secondary), new QProgressBar};
        row.bar->setTextVisible(false);
        row.bar->setFixedHeight(6);
        row.amount->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        row.amount->setMinimumWidth(characterWidth(font()) * 22);
        const int line = static_cast<int>(rows_.size());
        grid_->addWidget(row.name, line, 0);
        grid_->addWidget(row.bar, line, 1);
        grid_->addWidget(row.amount, line, 2);
        rows_.push_back(row);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const bool shown = i < phases.size();
        for (QWidget* widget : std::initializer_list<QWidget*>{rows_[i].name, rows_[i].amount, rows_[i].bar})
            widget->setVisible(shown);
        if (!shown) continue;
        const auto& phase = phases[i];
        rows_[i].name->setText(phase.name);
        rows_[i].bar->setAccessibleName(phase.name);
        const bool last = i + 1 == phases.size();
        rows_[i].bar->setRange(0, last && phase.total == 0 ? 0 : 1000);
        if (phase.total > 0)
            rows_[i].bar->setValue(static_cast<int>(1000.0 * double(phase.done) / double(phase.total)));
        else if (!last)
            rows_[i].bar->setValue(1000);
        rows_[i].amount->setText(
            phase.total == 0 ? QString()
            : phase.unit == QLatin1String("bytes")
                ? tr("%1 of %2").arg(bytes(phase.done), bytes(phase.total))
                : tr("%1 of %2 %3").arg(number(qint64(phase.done)), number(qint64(phase.total)), phase.unit));
    }
    update();
}

// A tick before what is done, a dot before what is at work.
void PhaseList::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const int side = QFontMetrics(font()).height() - 3;
    for (std::size_t i = 0; i < used_; ++i) {
        const QPoint place = rows_[i].name->mapTo(this, QPoint(0, rows_[i].name->height() / 2));
        const QRectF box(place.x() - side - 2.0 * kSpace, place.y() - side / 2.0, side, side);
        const bool last = i + 1 == used_;
        drawGlyph(painter, last ? Glyph::Play : Glyph::Tick, box, colour(last ? Hue::Accent : Hue::Good, this));
    }
}

}  // namespace studio::ui
