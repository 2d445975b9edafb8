// The conversation in one scroll area: visible turns painted from cached layouts.
#pragma once

#include <QAbstractScrollArea>
#include <vector>

#include "ui/chat/turn_layout.h"

namespace studio::ui {

class ChatView : public QAbstractScrollArea {
    Q_OBJECT
  public:
    explicit ChatView(QWidget* parent = nullptr);

    // Layouts of turns that did not change are kept. `follow` keeps the end in sight while it was there.
    void setTurns(std::vector<TurnView> turns);
    void updateTurn(const TurnView& turn);
    void scrollToEnd();
    // Node of the turn that has the keyboard's place; −1: none.
    int currentNode() const;
    QString selectedText() const;
    QString currentText() const;

  Q_SIGNALS:
    void copyText(const QString& text);
    void action(studio::ui::TurnAction action, int node, int reply);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool viewportEvent(QEvent* event) override;

  private:
    struct Row {
        TurnLayout layout;
        int y = 0;
    };
    void layOutFrom(std::size_t first);
    int rowAt(int y) const;
    void point(const QPoint& position);
    void setCurrent(int row);
    void showMenu(int row, const QPoint& global);
    bool atEnd() const;
    void describe();

    std::vector<Row> rows_;
    int height_ = 0;
    int current_ = -1, hovered_ = -1, hot_ = -1;
    // Text chosen with the pointer: within one turn and one reply of it.
    int selected_row_ = -1, selected_column_ = 0;
    TextBlocks::Place anchor_, head_;
    bool selecting_ = false;
    TextBlocks::Selection selection() const;
    void clearSelection();
};

}  // namespace studio::ui
