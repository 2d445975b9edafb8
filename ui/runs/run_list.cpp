#include "ui/runs/run_list.h"

#include <QKeyEvent>
#include <QPainter>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/runs/run_notice.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"
#include "ui/widgets/spark_line.h"

namespace studio::ui {

void RunListModel::setRuns(std::vector<RunBrief> runs) {
    // The same runs in the same order: only their contents change, so that selection and scrolling stay.
    const bool same = runs.size() == runs_.size() &&
                      std::equal(runs.begin(), runs.end(), runs_.begin(),
                                 [](const RunBrief& a, const RunBrief& b) { return a.folder == b.folder; });
    if (same) {
        runs_ = std::move(runs);
        if (!runs_.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
        return;
    }
    beginResetModel();
    runs_ = std::move(runs);
    endResetModel();
}

void RunListModel::setLive(const std::optional<LiveRun>& live) {
    const int before = live_ ? rowOf(path(live_->folder)) : -1;
    live_ = live;
    const int now = live_ ? rowOf(path(live_->folder)) : -1;
    for (const int row : {before, now}) {
        if (row >= 0) Q_EMIT dataChanged(index(row), index(row));
    }
}

int RunListModel::rowOf(const std::filesystem::path& folder) const {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        if (runs_[i].folder == folder) return static_cast<int>(i);
    }
    return -1;
}

project::RunState RunListModel::stateOf(int row) const {
    return live_ && path(live_->folder) == at(row).folder ? live_->state : at(row).info.state;
}

qint64 RunListModel::stepOf(int row) const {
    return live_ && path(live_->folder) == at(row).folder ? live_->step : at(row).steps;
}

qint64 RunListModel::totalOf(int row) const {
    return live_ && path(live_->folder) == at(row).folder ? live_->total : at(row).total;
}

std::optional<double> RunListModel::lossOf(int row) const {
    if (live_ && path(live_->folder) == at(row).folder && live_->eval_loss) return live_->eval_loss;
    return at(row).eval_loss;
}

int RunListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(runs_.size());
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const RunBrief& run = at(index.row());
    const QString name = shownText(text(run.info.name), false, 120);
    const QString state = stateShort(stateOf(index.row()), stepOf(index.row()), totalOf(index.row()));
    switch (role) {
        case Qt::DisplayRole:
            return name;
        case Qt::ToolTipRole:
            return toolTipText(pathText(run.folder));
        case Qt::AccessibleTextRole:
            return tr("%1, %2, validation loss %3, %4").arg(name, state, number(lossOf(index.row()), 4), run.differs);
        default:
            return {};
    }
}

QSize RunDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    const QFontMetrics metrics(option.font), small(secondaryFont(option.font));
    return {characterWidth(metrics) * 20, 2 * metrics.height() + small.height() + 6 * kSpace};
}

void RunDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const auto* model = static_cast<const RunListModel*>(index.model());
    const RunBrief& run = model->at(index.row());
    const project::RunState state = model->stateOf(index.row());
    const StateLook look = stateLook(state);
    const QPalette& palette = option.palette;
    painter->save();
    if (option.state & QStyle::State_Selected) painter->fillRect(option.rect, colour(Hue::AccentWash, palette));
    painter->setPen(colour(Hue::Line, palette));
    painter->drawLine(option.rect.bottomLeft(), option.rect.bottomRight());

    const QFont strong = strongFont(option.font), small = secondaryFont(option.font);
    const QFontMetrics metrics(option.font), strong_metrics(strong), small_metrics(small);
    const QRect box = option.rect.adjusted(3 * kSpace, 2 * kSpace, -3 * kSpace, -2 * kSpace);
    const int line = metrics.height() + 2, glyph = metrics.height() * 3 / 4, indent = glyph + 2 * kSpace;

    painter->setRenderHint(QPainter::Antialiasing);
    drawGlyph(*painter, look.glyph, QRectF(box.left(), box.top() + (line - glyph) / 2.0, glyph, glyph),
              colour(look.hue, palette));
    const QString words = stateShort(state, model->stepOf(index.row()), model->totalOf(index.row()));
    // A name keeps at least half of the line; what says the state is cut first.
    const int words_wide =
        std::min(small_metrics.horizontalAdvance(words) + 3, (box.width() - indent) / 2 + characterWidth(metrics) * 3);
    painter->setFont(small);
    painter->setPen(colour(state == project::RunState::Failed ? Hue::Bad : Hue::Secondary, palette));
    painter->drawText(QRect(box.right() - words_wide, box.top(), words_wide + 1, line),
                      Qt::AlignRight | Qt::AlignVCenter, small_metrics.elidedText(words, Qt::ElideRight, words_wide));
    painter->setFont(strong);
    painter->setPen(colour(Hue::Text, palette));
    const int name_wide = box.width() - indent - words_wide - 2 * kSpace;
    painter->drawText(QRect(box.left() + indent, box.top(), name_wide, line), Qt::AlignLeft | Qt::AlignVCenter,
                      strong_metrics.elidedText(index.data().toString(), Qt::ElideRight, name_wide));

    const int top = box.top() + line + kSpace, half = box.width() * 40 / 100;
    const double reach = run.total > 0 ? std::clamp(double(run.steps) / double(run.total), 0.15, 1.0) : 1.0;
    drawSparkLine(*painter, QRectF(box.left() + 1, top + 2, half, box.bottom() - top - 4), run.spark,
                  colour(look.hue == Hue::Secondary ? Hue::Bar : look.hue, palette), reach);
    const QRect right(box.left() + half + 2 * kSpace, top, box.width() - half - 2 * kSpace, line);
    painter->setFont(option.font);
    painter->setPen(colour(Hue::Text, palette));
    const auto loss = model->lossOf(index.row());
    drawFigures(*painter, right, number(loss, 4));
    painter->setFont(small);
    painter->setPen(colour(Hue::Secondary, palette));
    const QString below = run.differs.isEmpty() && loss ? tr("validation") : run.differs;
    painter->drawText(QRect(right.left(), right.bottom() + 1, right.width(), small_metrics.height() + 2),
                      Qt::AlignRight | Qt::AlignVCenter,
                      small_metrics.elidedText(below, Qt::ElideRight, right.width()));
    if ((option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_Selected)) {
        painter->setPen(QPen(colour(Hue::Accent, palette), 2));
        painter->setBrush(Qt::NoBrush);
        painter->drawRect(QRectF(option.rect).adjusted(1, 1, -1, -1));
    }
    painter->restore();
}

RunList::RunList(QWidget* parent) : QListView(parent), model_(new RunListModel(this)) {
    setModel(model_);
    setItemDelegate(new RunDelegate(this));
    setFrameShape(QFrame::NoFrame);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setUniformItemSizes(true);
    setMouseTracking(true);
    setAccessibleName(tr("Runs"));
    viewport()->setAutoFillBackground(false);
}

void RunList::choose(const std::filesystem::path& folder) {
    const int row = model_->rowOf(folder);
    choosing_ = true;
    setCurrentIndex(row < 0 ? QModelIndex() : model_->index(row));
    choosing_ = false;
}

std::filesystem::path RunList::chosen() const {
    return currentIndex().isValid() ? model_->at(currentIndex().row()).folder : std::filesystem::path();
}

void RunList::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
    QListView::currentChanged(current, previous);
    if (!choosing_ && current.isValid()) Q_EMIT runChosen(model_->at(current.row()).folder);
}

void RunList::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Delete && currentIndex().isValid()) {
        Q_EMIT deleteWanted(chosen());
        return;
    }
    QListView::keyPressEvent(event);
}

}  // namespace studio::ui
