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

    // The window has another height.
    void fit();

  private:
    int atOnce() const;
    void rebuild();
    Messages& messages_;
    QVBoxLayout* column_;
    int at_once_ = 0;
};

}  // namespace studio::ui
