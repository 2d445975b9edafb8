// A row of the conversation list: the first line, and below it language, messages, turns and the best reply's quality.
#pragma once

#include <QCache>
#include <QStaticText>
#include <QStyledItemDelegate>

namespace studio::ui {

class ConversationDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

  private:
    void paintTitle(QPainter* painter, const QRect& box, const QString& title, bool strong, const QColor& ink) const;
    struct Line {
        QString title;
        int width = 0;
        QStaticText text;
    };
    mutable QCache<QString, Line> lines_{600};  // laid out and elided, by title and weight
};

// A bar of `share` (0 … 1) with its ground, in the colours of histograms.
void paintShareBar(QPainter* painter, const QRectF& box, double share, const QPalette& palette);

}  // namespace studio::ui
