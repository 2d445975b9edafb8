// Loss of each held-out conversation with the base and with the adapter, the largest change first.
#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>

#include "jobs/evaluation_record.h"
#include "ui/widgets/row_table.h"

namespace studio::ui {

class ConversationModel : public QAbstractTableModel {
    Q_OBJECT
  public:
    enum Column { Prompt, Tokens, Base, Model, Difference, Bar, Columns };
    static constexpr int kSortRole = Qt::UserRole + 1;
    using QAbstractTableModel::QAbstractTableModel;
    void setRecord(const jobs::EvaluationRecord* record);  // null: none
    QString messageAt(int row) const;
    bool paired() const { return paired_; }
    double largest() const { return largest_; }  // of the absolute differences

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    std::vector<jobs::EvaluatedConversation> rows_;
    std::vector<QString> prompts_;
    bool paired_ = false;
    double largest_ = 0;
};

class ConversationTable : public RowTable {
    Q_OBJECT
  public:
    explicit ConversationTable(QWidget* parent = nullptr);
    void setRecord(const jobs::EvaluationRecord* record);
    ConversationModel& conversations() { return *conversations_; }

  Q_SIGNALS:
    void opened(const QString& message_id);

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void open(const QModelIndex& index);
    void arrange();
    ConversationModel* conversations_;
    QSortFilterProxyModel* sorted_;
};

}  // namespace studio::ui
