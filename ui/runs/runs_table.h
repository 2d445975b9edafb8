// All runs as a table to sort and compare.
#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include "ui/runs/run_list.h"
#include "ui/widgets/row_table.h"

namespace studio::ui {

class RunsTableModel : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { Name, State, Validation, Best, Training, Steps, Time, Speed, Checkpoints, Settings, Columns };
    explicit RunsTableModel(RunListModel& runs, QObject* parent = nullptr);
    static constexpr int kSortRole = Qt::UserRole + 1;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    RunListModel& runs_;
};

class RunsTable : public RowTable {
    Q_OBJECT
  public:
    explicit RunsTable(RunListModel& runs, QWidget* parent = nullptr);
    std::filesystem::path chosen() const;
    void choose(const std::filesystem::path& folder);

  Q_SIGNALS:
    void runOpened(const std::filesystem::path& folder);
    void deleteWanted(const std::filesystem::path& folder);

  protected:
    void keyPressEvent(QKeyEvent* event) override;

  private:
    RunListModel& runs_;
    QSortFilterProxyModel* sorted_;
};

}  // namespace studio::ui
