// The list of the project's chats.
#pragma once

#include <QAbstractListModel>
#include <QListView>
#include <QStyledItemDelegate>

#include "ui/chat/chat_book.h"
#include "ui/chat/model_shelf.h"

namespace studio::ui {

class ChatListModel : public QAbstractListModel {
    Q_OBJECT
  public:
    enum Role { IdRole = Qt::UserRole, ModelRole, WhenRole };
    ChatListModel(ChatBook& book, ModelShelf& shelf, QObject* parent = nullptr);
    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QModelIndex indexOf(const std::string& id) const;

  Q_SIGNALS:
    void renamed(const QString& id, const QString& title);

  private:
    void reread();
    struct Line {
        QString id, title, model, when;
        bool operator==(const Line&) const = default;
    };
    ChatBook& book_;
    ModelShelf& shelf_;
    std::vector<Line> lines_;
};

class ChatListDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    void updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option,
                              const QModelIndex& index) const override;
};

}  // namespace studio::ui
