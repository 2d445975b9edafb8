#include "ui/runs/runs_table.h"

#include <QHeaderView>
#include <QKeyEvent>
#include <limits>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/runs/run_notice.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// Absent values stand behind all others, whichever way it is sorted.
class Sorted final : public QSortFilterProxyModel {
  public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

  protected:
    bool lessThan(const QModelIndex& a, const QModelIndex& b) const override {
        const QVariant left = a.data(RunsTableModel::kSortRole), right = b.data(RunsTableModel::kSortRole);
        if (!left.isValid() || !right.isValid())
            return sortOrder() == Qt::AscendingOrder ? left.isValid() && !right.isValid()
                                                     : right.isValid() && !left.isValid();
        if (left.typeId() == QMetaType::QString) return left.toString().localeAwareCompare(right.toString()) < 0;
        return left.toDouble() < right.toDouble();
    }
};

QVariant known(const std::optional<double>& value) {
    return value ? QVariant(*value) : QVariant();
}

}  // namespace

RunsTableModel::RunsTableModel(RunListModel& runs, QObject* parent) : QAbstractTableModel(parent), runs_(runs) {
    connect(&runs, &QAbstractItemModel::modelAboutToBeReset, this, &RunsTableModel::beginResetModel);
    connect(&runs, &QAbstractItemModel::modelReset, this, &RunsTableModel::endResetModel);
    connect(&runs, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex& first, const QModelIndex& last) {
        Q_EMIT dataChanged(index(first.row(), 0), index(last.row(), Columns - 1));
    });
}

int RunsTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : runs_.rowCount();
}

int RunsTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : Columns;
}

QVariant RunsTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    const int row = index.row(), column = index.column();
    const RunBrief& run = runs_.at(row);
    if (role == Qt::TextAlignmentRole) {
        const bool words = column == Name || column == State || column == Settings;
        return static_cast<int>((words ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role == RowTable::kStrongRole) return column == Name;
    if (role == RowTable::kHueRole && column == State) return static_cast<int>(stateLook(runs_.stateOf(row)).hue);
    if (role == Qt::ToolTipRole)
        return column == Settings ? toolTipText(run.differs) : toolTipText(pathText(run.folder));
    if (role != Qt::DisplayRole && role != kSortRole) return {};
    const bool sort = role == kSortRole;
    const auto figure = [sort](const std::optional<double>& value, const QString& shown) {
        return sort ? known(value) : QVariant(value ? shown : absent());
    };
    switch (column) {
        case Name:
            return shownText(text(run.info.name), false, 120);
        case State:
            return stateLook(runs_.stateOf(row)).word;
        case Validation:
            return figure(runs_.lossOf(row), number(runs_.lossOf(row), 4));
        case Best:
            return figure(run.best_loss, number(run.best_loss, 4));
        case Training:
            return figure(run.train_loss, number(run.train_loss, 4));
        case Steps: {
            const qint64 step = runs_.stepOf(row), total = runs_.totalOf(row);
            if (sort) return static_cast<double>(step);
            return total > step ? tr("%1 of %2").arg(number(step), number(total)) : number(step);
        }
        case Time:
            return figure(run.seconds > 0 ? std::optional(run.seconds) : std::nullopt, duration(run.seconds));
        case Speed:
            return figure(run.tokens_per_s, number(static_cast<qint64>(run.tokens_per_s.value_or(0) + 0.5)));
        case Checkpoints:
            return sort ? QVariant(double(run.checkpoints)) : QVariant(number(static_cast<qint64>(run.checkpoints)));
        case Settings:
            return run.differs;
        default:
            return {};
    }
}

QVariant RunsTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation == Qt::Vertical) return {};
    if (role == Qt::TextAlignmentRole) {
        const bool words = section == Name || section == State || section == Settings;
        return static_cast<int>((words ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case Name:
            return tr("Run");
        case State:
            return tr("State");
        case Validation:
            return tr("Validation");
        case Best:
            return tr("Best");
        case Training:
            return tr("Training");
        case Steps:
            return tr("Steps");
        case Time:
            return tr("Time");
        case Speed:
            return tr("Tokens/s");
        case Checkpoints:
            return tr("Checkpoints");
        default:
            return tr("Differs in");
    }
}

RunsTable::RunsTable(RunListModel& runs, QWidget* parent) : RowTable(parent), runs_(runs), sorted_(new Sorted(this)) {
    sorted_->setSourceModel(new RunsTableModel(runs, this));
    setModel(sorted_);
    setAccessibleName(tr("Runs as a table"));
    setSortingEnabled(true);
    sortByColumn(-1, Qt::AscendingOrder);  // as listed: newest first
    const int wide = characterWidth(font());
    const int widths[] = {22, 12, 12, 11, 11, 13, 12, 11, 13};
    for (int c = 0; c < RunsTableModel::Settings; ++c)
        setColumnWidth(c, std::max(widths[c] * wide, horizontalHeader()->sectionSizeHint(c)));
    connect(this, &QAbstractItemView::activated, this, [this] { Q_EMIT runOpened(chosen()); });
}

std::filesystem::path RunsTable::chosen() const {
    const QModelIndex index = sorted_->mapToSource(currentIndex());
    return index.isValid() ? runs_.at(index.row()).folder : std::filesystem::path();
}

void RunsTable::choose(const std::filesystem::path& folder) {
    const int row = runs_.rowOf(folder);
    if (row >= 0) selectRow(sorted_->mapFromSource(sorted_->sourceModel()->index(row, 0)).row());
}

void RunsTable::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Delete && !chosen().empty()) {
        Q_EMIT deleteWanted(chosen());
        return;
    }
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
        if (!chosen().empty()) Q_EMIT runOpened(chosen());
        return;
    }
    RowTable::keyPressEvent(event);
}

}  // namespace studio::ui
