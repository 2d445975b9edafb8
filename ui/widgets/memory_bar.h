// How memory divides, as a bar with separators.
#pragma once

#include <QWidget>
#include <vector>

namespace studio::ui {

class MemoryBar : public QWidget {
    Q_OBJECT
  public:
    explicit MemoryBar(QWidget* parent = nullptr);
    // Parts in bytes, and what there is in all; nothing: an empty bar.
    void setParts(const std::vector<quint64>& parts, quint64 whole);
    QSize sizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    std::vector<quint64> parts_;
    quint64 whole_ = 0;
};

}  // namespace studio::ui
