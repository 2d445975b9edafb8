// The reader: the messages of the branch that is shown, painted from cached layouts.
#pragma once

#include <QAbstractScrollArea>
#include <map>
#include <memory>
#include <vector>

#include "ui/data/message_block.h"
#include "ui/data/reading.h"

namespace studio::ui {

class ConversationView : public QAbstractScrollArea {
    Q_OBJECT
  public:
    explicit ConversationView(Reading& reading, QWidget* parent = nullptr);

    void zoom(int steps);  // 0: back to the application's size
    int zoomSteps() const { return zoom_; }
    // The selected text, else the current message's.
    void copy() const;
    void selectAll();

  Q_SIGNALS:
    void menuRequested(const QPoint& global);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    struct Spot {
        int place = -1;  // on the path
        qsizetype position = 0;
        auto operator<=>(const Spot&) const = default;
    };
    void restyle();
    void relayout();  // heights and the scroll bar
    void measure();   // tops_, estimated where a long branch was not looked at yet
    void settle();    // lays out what is in sight and puts its true heights in
    double estimated(int index) const;
    MessageBlock& block(int place);
    int placeAt(double y) const;  // y in the contents
    Spot spotAt(const QPoint& point);
    void press(int place, const QPointF& in_block);
    void showCurrent();
    void dropSelection();
    QString selectedText();
    void announce();
    int columnWidth() const;
    int columnLeft() const;

    Reading& reading_;
    BlockFonts fonts_;
    int zoom_ = 0;
    std::map<int, std::unique_ptr<MessageBlock>> blocks_;  // by message
    std::map<int, qsizetype> shown_;                       // characters laid out, where more were asked for
    std::vector<double> tops_;                             // of each place on the path, and the end
    Spot anchor_, cursor_;
    bool selecting_ = false, restyling_ = false, settling_ = false;
};

}  // namespace studio::ui
