// phi's block with its adapted linears marked: attention and MLP beside each other behind one LayerNorm.
#pragma once

#include <QWidget>

#include "jobs/preview.h"

namespace studio::ui {

class ModuleDiagram : public QWidget {
    Q_OBJECT
  public:
    explicit ModuleDiagram(QWidget* parent = nullptr);
    void setModel(const jobs::PreviewModel* model, bool stale);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    struct Linear {
        QString name, count;
        bool adapted = false;
    };
    Linear linear(const QString& kind) const;
    void drawBox(QPainter& painter, const QRectF& box, const Linear& linear) const;

    std::vector<jobs::ModuleCount> modules_;
    bool known_ = false, stale_ = false;
};

}  // namespace studio::ui
