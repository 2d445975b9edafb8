#include "ui/widgets/plot_table.h"

#include <cmath>
#include <limits>
#include <map>

#include "ui/look/format.h"

namespace studio::ui {

void PlotTableModel::setSeries(const std::vector<Series>& series, std::function<QString(double)> format) {
    beginResetModel();
    std::map<double, Row> rows;
    names_.clear();
    for (std::size_t s = 0; s < series.size(); ++s) {
        names_ << series[s].name;
        for (const PlotPoint& point : series[s].points) {
            Row& row = rows[point.step];
            if (row.values.empty())
                row = {point, std::vector<double>(series.size(), std::numeric_limits<double>::quiet_NaN())};
            row.values[s] = point.value;
        }
    }
    rows_.clear();
    rows_.reserve(rows.size());
    for (auto& [step, row] : rows) rows_.push_back(std::move(row));
    format_ = std::move(format);
    endResetModel();
}

int PlotTableModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int PlotTableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : 3 + static_cast<int>(names_.size());
}

QVariant PlotTableModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid()) return {};
    if (role == Qt::TextAlignmentRole) return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    const Row& row = rows_[static_cast<std::size_t>(index.row())];
    switch (index.column()) {
        case 0:
            return number(static_cast<qint64>(row.where.step));
        case 1:
            return number(row.where.epoch, 2);
        case 2:
            return duration(row.where.seconds);
        default: {
            const double value = row.values[static_cast<std::size_t>(index.column() - 3)];
            return std::isnan(value) ? absent() : format_ ? format_(value) : significant(value, 5);
        }
    }
}

QVariant PlotTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation == Qt::Vertical) return {};
    if (role == Qt::TextAlignmentRole) return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole) return {};
    switch (section) {
        case 0:
            return tr("Step");
        case 1:
            return tr("Epoch");
        case 2:
            return tr("Time");
        default:
            return names_.value(section - 3);
    }
}

}  // namespace studio::ui
