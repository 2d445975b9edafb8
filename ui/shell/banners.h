// Messages that stay until they are dealt with, below the strip: glyph, what, what to do, button, Details, Copy report.
#pragma once

#include <QWidget>

#include "ui/session/messages.h"

class QVBoxLayout;

namespace studio::ui {

class Banners : public QWidget {
    Q_OBJECT
  public:
    explicit Banners(Messages& messages, QWidget* parent = nullptr);
    // Closes the newest. False if there is none.
    bool closeNewest();

  private:
    void rebuild();
    Messages& messages_;
    QVBoxLayout* column_;
};

}  // namespace studio::ui
