// The runs of the project, newest first: state, name, course of the loss, validation loss, what differs.
#pragma once

#include <QAbstractListModel>
#include <QListView>
#include <QStyledItemDelegate>

#include "ui/runs/run_data.h"

namespace studio::ui {

class RunListModel : public QAbstractListModel {
    Q_OBJECT
  public:
    using QAbstractListModel::QAbstractListModel;
    void setRuns(std::vector<RunBrief> runs);
    void setLive(const std::optional<LiveRun>& live);
    const RunBrief& at(int row) const { return runs_[static_cast<std::size_t>(row)]; }
    // As it is now: what the live run says, else the record.
    project::RunState stateOf(int row) const;
    qint64 stepOf(int row) const;
    qint64 totalOf(int row) const;
    std::optional<double> lossOf(int row) const;
    int rowOf(const std::filesystem::path& folder) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

  private:
    std::vector<RunBrief> runs_;
    std::optional<LiveRun> live_;
};

class RunDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

class RunList : public QListView {
    Q_OBJECT
  public:
    explicit RunList(QWidget* parent = nullptr);
    RunListModel& runs() { return *model_; }
    void choose(const std::filesystem::path& folder);
    std::filesystem::path chosen() const;

  Q_SIGNALS:
    void runChosen(const std::filesystem::path& folder);
    void deleteWanted(const std::filesystem::path& folder);

  protected:
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    RunListModel* model_;
    bool choosing_ = false;
};

}  // namespace studio::ui
