// The kept evaluations, newest first: what was measured, its perplexity, against what.
#pragma once

#include <QAbstractListModel>
#include <QListView>
#include <QStyledItemDelegate>

#include "ui/evaluate/evaluations_presenter.h"

namespace studio::ui {

class EvaluationListModel : public QAbstractListModel {
    Q_OBJECT
  public:
    static constexpr int kPerplexityRole = Qt::UserRole + 1, kAgainstRole = Qt::UserRole + 2,
                         kTimeRole = Qt::UserRole + 3;
    using QAbstractListModel::QAbstractListModel;
    void setKept(const std::vector<EvaluationsPresenter::Kept>& kept);
    int rowOf(const std::filesystem::path& file) const;
    const std::filesystem::path& fileAt(int row) const { return rows_[static_cast<std::size_t>(row)].file; }

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;

  private:
    struct Row {
        std::filesystem::path file;
        QString name, perplexity, against, time;
    };
    std::vector<Row> rows_;
};

class EvaluationList : public QListView {
    Q_OBJECT
  public:
    explicit EvaluationList(QWidget* parent = nullptr);
    EvaluationListModel& rows() { return *model_; }
    void choose(const std::filesystem::path& file);

  Q_SIGNALS:
    void chosen(const std::filesystem::path& file);

  protected:
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

  private:
    EvaluationListModel* model_;
    bool choosing_ = false;
};

}  // namespace studio::ui
