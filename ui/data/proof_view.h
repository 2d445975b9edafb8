// The proof sheet: what of a conversation the trainer reads and what it learns, token by token.
#pragma once

#include <QAbstractTableModel>
#include <QWidget>
#include <memory>

#include "jobs/proof_sheet.h"
#include "ui/data/token_flow.h"
#include "ui/session/session.h"
#include "ui/widgets/basics.h"

class QStackedWidget;
class QTableView;

namespace studio::ui {

// Place, id, text, part and whether it is learned: the same as the boxes, for screen readers and for copying.
class TokenTable : public QAbstractTableModel {
    Q_OBJECT
  public:
    using QAbstractTableModel::QAbstractTableModel;
    void show(const jobs::ProofExample* example);
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : 5; }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    const jobs::ProofExample* example_ = nullptr;
};

class ProofView : public QWidget {
    Q_OBJECT
  public:
    explicit ProofView(Session& session, QWidget* parent = nullptr);
    // Sets the sheet of a tree, with the recipe as it stands.
    void open(std::shared_ptr<const corpus::Catalogue> catalogue, std::int32_t tree);
    const std::shared_ptr<const jobs::ProofSheet>& sheet() const { return sheet_; }

  Q_SIGNALS:
    void shown();

  protected:
    void showEvent(QShowEvent* event) override;

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void showSheet();
    void showExample(int index);
    void fitWords();
    void showError(const Error& error);
    void again();

    Session& session_;
    std::shared_ptr<const corpus::Catalogue> catalogue_;
    std::int32_t tree_ = -1;
    std::shared_ptr<jobs::TokenizerCache> tokenizers_;
    std::shared_ptr<const jobs::ProofSheet> sheet_;
    quint64 asked_ = 0;
    int example_ = 0;
    bool stale_ = false;  // the recipe has changed since
    Text *summary_, *figures_, *place_;
    QToolButton *previous_, *next_;
    QWidget* switch_;
    TokenFlow* flow_;
    TokenTable* table_;
    QTableView* table_view_;
    QStackedWidget* body_;
    EmptyState* nothing_;
    QPushButton* recipe_button_;
};

}  // namespace studio::ui
