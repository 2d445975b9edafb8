#include "ui/evaluate/conversation_table.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <cmath>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// A bar from the zero line: to the left where the loss fell.
class BarDelegate final : public RowDelegate {
  public:
    using RowDelegate::RowDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        RowDelegate::paint(painter, option, index);
        const QVariant share = index.data(Qt::UserRole);
        const QRectF box = QRectF(option.rect).adjusted(2 * kSpace, 0, -2 * kSpace, 0);
        painter->save();
        painter->setPen(colour(Hue::Line, option.palette));
        painter->drawLine(QPointF(box.center().x(), box.top()), QPointF(box.center().x(), box.bottom()));
        if (share.isValid()) {
            const double length = share.toDouble() * box.width() / 2;
            const double height = box.height() * 0.36;
            QRectF bar(box.center().x(), box.center().y() - height / 2, std::abs(length), height);
            if (length < 0) bar.moveRight(box.center().x());
            painter->fillRect(bar, colour(length < 0 ? Hue::Adapted : Hue::Validation, option.palette));
        }
        painter->restore();
    }
};

}  // namespace

void ConversationModel::setRecord(const jobs::EvaluationRecord* record) {
    beginResetModel();
    rows_ = record ? record->each : std::vector<jobs::EvaluatedConversation>();
    paired_ = record && record->base;
    prompts_.clear();
    largest_ = 0;
    for (const auto& row : rows_) {
        prompts_.push_back(shownText(text(row.prompt).simplified(), false, 240));
        if (const auto difference = row.difference()) largest_ = std::max(largest_, std::abs(*difference));
    }
    endResetModel();
}

QString ConversationModel::messageAt(int row) const {
    return text(rows_[static_cast<std::size_t>(row)].last_message_id);
}

int ConversationModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int ConversationModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : Columns;
}

QVariant ConversationModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const auto row = static_cast<std::size_t>(index.row());
    const jobs::EvaluatedConversation& c = rows_[row];
    const int column = index.column();
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((column == Prompt ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    const auto difference = c.difference();
    if (role == Qt::UserRole && column == Bar && difference && largest_ > 0) return *difference / largest_;
    if (role == Qt::ToolTipRole && column == Prompt) return toolTipText(prompts_[row]);
    if (role == RowTable::kHueRole && (column == Tokens || column == Base)) return static_cast<int>(Hue::Secondary);
    const bool sort = role == kSortRole;
    if (role != Qt::DisplayRole && !sort) return {};
    switch (column) {
        case Prompt:
            return prompts_[row];
        case Tokens:
            return sort ? QVariant(double(c.tokens)) : QVariant(number(static_cast<qint64>(c.tokens)));
        case Base:
            return sort ? QVariant(c.base.value_or(0)) : QVariant(number(c.base, 4));
        case Model:
            return sort ? QVariant(c.loss) : QVariant(number(c.loss, 4));
        case Difference:
            if (sort) return difference.value_or(0);
            if (!difference) return absent();
            return signedNumber(*difference, 4);
        default:
            return sort ? QVariant(difference.value_or(0)) : QVariant();
    }
}

QVariant ConversationModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation == Qt::Vertical) return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>((section == Prompt ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Prompt:
            return tr("First prompt");
        case Tokens:
            return tr("Tokens");
        case Base:
            return tr("Base");
        case Model:
            return paired_ ? tr("Adapted") : tr("Loss");
        case Difference:
            return tr("Difference");
        default:
            return QString();
    }
}

ConversationTable::ConversationTable(QWidget* parent)
    : RowTable(parent), conversations_(new ConversationModel(this)), sorted_(new QSortFilterProxyModel(this)) {
    sorted_->setSourceModel(conversations_);
    sorted_->setSortRole(ConversationModel::kSortRole);
    setModel(sorted_);
    setItemDelegateForColumn(ConversationModel::Bar, new BarDelegate(this));
    setSortingEnabled(true);
    setAccessibleName(tr("Held-out conversations"));
    horizontalHeader()->setStretchLastSection(false);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(this, &QAbstractItemView::doubleClicked, this, &ConversationTable::open);
}

void ConversationTable::setRecord(const jobs::EvaluationRecord* record) {
    conversations_->setRecord(record);
    const bool paired = conversations_->paired();
    for (const int column : {ConversationModel::Base, ConversationModel::Difference, ConversationModel::Bar})
        setColumnHidden(column, !paired);
    sortByColumn(paired ? ConversationModel::Difference : ConversationModel::Model,
                 paired ? Qt::AscendingOrder : Qt::DescendingOrder);
    arrange();
}

// The prompt takes what the figures leave.
void ConversationTable::arrange() {
    const int wide = characterWidth(font());
    const auto widthOf = [this, wide](int column) {
        if (column == ConversationModel::Bar) return wide * 16;
        return std::max(wide * 12, horizontalHeader()->sectionSizeHint(column));
    };
    int left = viewport()->width();
    for (int column = ConversationModel::Tokens; column < ConversationModel::Columns; ++column) {
        const bool optional = column == ConversationModel::Bar || column == ConversationModel::Tokens;
        if (!optional && isColumnHidden(column)) continue;
        setColumnWidth(column, widthOf(column));
        left -= widthOf(column);
    }
    // Where they would leave the prompt no room, first the bars go, then the counts.
    const bool paired = conversations_->paired(), no_bars = !paired || left < wide * 18;
    setColumnHidden(ConversationModel::Bar, no_bars);
    if (no_bars) left += widthOf(ConversationModel::Bar);
    const bool no_counts = left < wide * 18;
    setColumnHidden(ConversationModel::Tokens, no_counts);
    if (no_counts) left += widthOf(ConversationModel::Tokens);
    setColumnWidth(ConversationModel::Prompt, std::max(left, wide * 16));
}

void ConversationTable::resizeEvent(QResizeEvent* event) {
    RowTable::resizeEvent(event);
    arrange();
}

void ConversationTable::open(const QModelIndex& index) {
    const QModelIndex row = sorted_->mapToSource(index);
    if (row.isValid()) Q_EMIT opened(conversations_->messageAt(row.row()));
}

void ConversationTable::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) return open(currentIndex());
    RowTable::keyPressEvent(event);
}

}  // namespace studio::ui
