// The checkpoints of a run: step, whether it is the best, validation loss. As high as its rows.
#pragma once

#include <QStandardItemModel>

#include "ui/runs/run_data.h"
#include "ui/widgets/row_table.h"

namespace studio::ui {

class CheckpointTable : public RowTable {
    Q_OBJECT
  public:
    explicit CheckpointTable(QWidget* parent = nullptr);
    ~CheckpointTable() override;
    void setCheckpoints(const std::vector<CheckpointRow>& checkpoints);
    int count() const { return rows_.rowCount(); }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {80, sizeHint().height()}; }

  Q_SIGNALS:
    void marked(qint64 step);
    void evaluateWanted(const QString& folder);
    void chatWanted(const QString& folder);
    void folderWanted(const QString& folder);

  protected:
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    std::vector<CheckpointRow> shown_;
    QStandardItemModel rows_{0, 3};
    bool filling_ = false;
};

}  // namespace studio::ui
