#include "ui/evaluate/evaluation_list.h"

#include <QDateTime>
#include <QLocale>
#include <QPainter>

#include "ui/evaluate/evaluation_words.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

class Delegate final : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const override {
        const QFontMetrics metrics(option.font), small(secondaryFont(option.font));
        return {characterWidth(metrics) * 20, metrics.height() + small.height() + 5 * kSpace};
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        painter->save();
        const QPalette& palette = option.palette;
        const bool chosen = option.state & QStyle::State_Selected;
        if (chosen) painter->fillRect(option.rect, colour(Hue::AccentWash, palette));
        painter->setPen(colour(Hue::Line, palette));
        painter->drawLine(option.rect.bottomLeft(), option.rect.bottomRight());
        const QRect box = option.rect.adjusted(3 * kSpace, 2 * kSpace, -3 * kSpace, -2 * kSpace);
        const QFontMetrics metrics(option.font);
        const int line = metrics.height() + 2;
        const QString figure = index.data(EvaluationListModel::kPerplexityRole).toString();
        const int figure_wide = metrics.horizontalAdvance(figure) + 2 * kSpace;
        painter->setPen(colour(Hue::Text, palette));
        painter->setFont(option.font);
        drawFigures(*painter, QRect(box.left(), box.top(), box.width(), line), figure);
        const QFont strong = strongFont(option.font);
        painter->setFont(strong);
        painter->drawText(
            QRect(box.left(), box.top(), box.width() - figure_wide, line), Qt::AlignVCenter,
            QFontMetrics(strong).elidedText(index.data().toString(), Qt::ElideMiddle, box.width() - figure_wide));
        const QFont small = secondaryFont(option.font);
        const QFontMetrics small_metrics(small);
        painter->setFont(small);
        painter->setPen(colour(Hue::Secondary, palette));
        const QString time = index.data(EvaluationListModel::kTimeRole).toString();
        const int time_wide = small_metrics.horizontalAdvance(time) + 2 * kSpace;
        const QRect below(box.left(), box.top() + line + 2, box.width(), small_metrics.height() + 2);
        painter->drawText(below, Qt::AlignRight | Qt::AlignVCenter, time);
        painter->drawText(below, Qt::AlignVCenter,
                          small_metrics.elidedText(index.data(EvaluationListModel::kAgainstRole).toString(),
                                                   Qt::ElideRight, below.width() - time_wide));
        if (chosen && (option.state & QStyle::State_HasFocus)) {
            painter->setRenderHint(QPainter::Antialiasing);
            painter->setPen(QPen(colour(Hue::Accent, palette), 2));
            painter->drawRect(QRectF(option.rect).adjusted(1, 1, -1, -1));
        }
        painter->restore();
    }
};

}  // namespace

void EvaluationListModel::setKept(const std::vector<EvaluationsPresenter::Kept>& kept) {
    beginResetModel();
    rows_.clear();
    for (const auto& one : kept) {
        const QDateTime when = QDateTime::fromString(text(one.record.time), Qt::ISODate).toLocalTime();
        rows_.push_back({one.file, evaluationName(one.record), number(one.record.model.perplexity, 2),
                         evaluationAgainst(one.record), QLocale().toString(when, QStringLiteral("d MMM HH:mm"))});
    }
    endResetModel();
}

int EvaluationListModel::rowOf(const std::filesystem::path& file) const {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (rows_[i].file == file) return static_cast<int>(i);
    }
    return -1;
}

int EvaluationListModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

QVariant EvaluationListModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const Row& row = rows_[static_cast<std::size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole:
            return row.name;
        case kPerplexityRole:
            return row.perplexity;
        case kAgainstRole:
            return row.against;
        case kTimeRole:
            return row.time;
        case Qt::ToolTipRole:
            return toolTipText(pathText(row.file));
        case Qt::AccessibleTextRole:
            return tr("%1, perplexity %2, %3, %4").arg(row.name, row.perplexity, row.against, row.time);
        default:
            return {};
    }
}

EvaluationList::EvaluationList(QWidget* parent) : QListView(parent), model_(new EvaluationListModel(this)) {
    setModel(model_);
    setItemDelegate(new Delegate(this));
    setFrameShape(QFrame::NoFrame);
    setVerticalScrollMode(ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setUniformItemSizes(true);
    setAccessibleName(tr("Evaluations"));
    viewport()->setAutoFillBackground(false);
}

void EvaluationList::choose(const std::filesystem::path& file) {
    const int row = model_->rowOf(file);
    choosing_ = true;
    setCurrentIndex(row < 0 ? QModelIndex() : model_->index(row));
    choosing_ = false;
}

void EvaluationList::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
    QListView::currentChanged(current, previous);
    if (!choosing_ && current.isValid()) Q_EMIT chosen(model_->fileAt(current.row()));
}

}  // namespace studio::ui
