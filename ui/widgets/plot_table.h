// The values of a plot as rows: the same to read, to select and to copy.
#pragma once

#include <QAbstractTableModel>

#include "ui/widgets/series.h"

namespace studio::ui {

class PlotTableModel : public QAbstractTableModel {
    Q_OBJECT
  public:
    using QAbstractTableModel::QAbstractTableModel;
    void setSeries(const std::vector<Series>& series, std::function<QString(double)> format);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    struct Row {
        PlotPoint where;
        std::vector<double> values;
    };
    std::vector<Row> rows_;
    QStringList names_;
    std::function<QString(double)> format_;
};

}  // namespace studio::ui
