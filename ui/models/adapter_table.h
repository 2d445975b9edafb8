// The adapters on this computer as a table.
#pragma once

#include <QAbstractTableModel>
#include <QStyledItemDelegate>
#include <vector>

#include "jobs/model_search.h"

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

// Rows with hairlines; figures with digits of one width; a glyph beside what is sound or wrong.
class AdapterDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace studio::ui
