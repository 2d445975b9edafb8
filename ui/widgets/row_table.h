// A table of rows: quiet ground, wash on the chosen row, numbers in digits of equal width.
#pragma once

#include <QStyledItemDelegate>
#include <QTableView>

namespace studio::ui {

class RowTable : public QTableView {
    Q_OBJECT
  public:
    // A QColor as Qt::ForegroundRole would not follow the theme: a Hue as int.
    static constexpr int kHueRole = Qt::UserRole + 41;
    static constexpr int kStrongRole = Qt::UserRole + 42;  // bool

    explicit RowTable(QWidget* parent = nullptr);

  protected:
    void focusInEvent(QFocusEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void restyle();
};

class RowDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace studio::ui
