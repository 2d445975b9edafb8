// Widgets in a row that goes on in the next line where the width ends.
#pragma once

#include <QLayout>
#include <vector>

namespace studio::ui {

class FlowLayout : public QLayout {
  public:
    explicit FlowLayout(int gap, QWidget* parent = nullptr);
    void setRightAligned(bool on) { right_ = on; }
    void setFilling(bool on) { filling_ = on; }  // the widgets of a line share its whole width
    ~FlowLayout() override;

    void addItem(QLayoutItem* item) override { items_.push_back(item); }
    int count() const override { return static_cast<int>(items_.size()); }
    QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return {}; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return place({0, 0, width, 0}, false); }
    QSize sizeHint() const override;
    QSize minimumSize() const override;
    void setGeometry(const QRect& box) override;

  private:
    int place(const QRect& box, bool move) const;
    std::vector<QLayoutItem*> items_;
    int gap_;
    bool right_ = false, filling_ = false;
};

}  // namespace studio::ui
