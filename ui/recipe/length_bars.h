// How long the conversations are, up to the bound beyond which they are cut.
#pragma once

#include <QWidget>

#include "jobs/preview.h"

namespace studio::ui {

class LengthBars : public QWidget {
    Q_OBJECT
  public:
    explicit LengthBars(QWidget* parent = nullptr);
    void setRun(const jobs::PreviewRun* run, bool stale);
    // "Length of conversations · 36 % of the tokens are cut at 512"
    QString title() const;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    std::vector<int> counts_;
    int longest_ = 0, most_ = 0;
    double cut_ = 0;
    bool stale_ = false;
};

}  // namespace studio::ui
