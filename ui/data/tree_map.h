// The conversation as a tree: squares are prompters, circles assistants; the branch that is shown is drawn strong.
#pragma once

#include <QWidget>
#include <vector>

#include "ui/data/reading.h"

namespace studio::ui {

class TreeMap : public QWidget {
    Q_OBJECT
  public:
    explicit TreeMap(Reading& reading, QWidget* parent = nullptr);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

  Q_SIGNALS:
    void currentMoved(const QRect& around);  // to be scrolled to

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool event(QEvent* event) override;

  private:
    void arrange();
    QPointF centre(int index) const;
    int nodeAt(const QPointF& point) const;
    QString spoken(int index) const;
    double unit() const;

    Reading& reading_;
    std::vector<QPointF> places_;  // in columns and rows
    double columns_ = 0;
    int rows_ = 0;
};

}  // namespace studio::ui
