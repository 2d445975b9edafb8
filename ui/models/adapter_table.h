// The adapters on this computer as a table.
#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "jobs/model_search.h"
#include "ui/widgets/row_table.h"

namespace studio::ui {

class AdapterTable : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { Name, Run, Base, Modules, Validation, Size, Peft, kColumns };
    using QAbstractTableModel::QAbstractTableModel;

    void setAdapters(std::vector<jobs::AdapterModel> adapters);
    const jobs::AdapterModel* at(int row) const;
    int rowOf(const std::filesystem::path& folder) const;  // −1: not there

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    std::vector<jobs::AdapterModel> adapters_;
};

// A glyph beside what is sound or wrong.
class AdapterDelegate : public RowDelegate {
    Q_OBJECT
  public:
    using RowDelegate::RowDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace studio::ui
