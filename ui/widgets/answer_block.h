// A model's answer: a bar in the colour of its side, a label, how it ended, the text.
#pragma once

#include <QWidget>

#include "ui/look/colours.h"

namespace studio::ui {

class Text;

class AnswerBlock : public QWidget {
    Q_OBJECT
  public:
    explicit AnswerBlock(Hue side, QWidget* parent = nullptr);
    void setAnswer(const QString& label, const QString& end, const QString& text);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    Hue side_;
    Text *label_, *end_, *body_;
};

}  // namespace studio::ui
