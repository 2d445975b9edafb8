// An empty chat: what it is for, and three prompts to begin with.
#pragma once

#include <QAbstractButton>
#include <QWidget>
#include <vector>

#include "ui/widgets/basics.h"

namespace studio::ui {

// A card with a prompt on it.
class PromptCard : public QAbstractButton {
    Q_OBJECT
  public:
    explicit PromptCard(QWidget* parent = nullptr);
    QSize sizeHint() const override;
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;

  protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;
};

class Starters : public QWidget {
    Q_OBJECT
  public:
    explicit Starters(QWidget* parent = nullptr);
    void setModel(const QString& label);
    void setPrompts(const QStringList& prompts, bool held_out);

  Q_SIGNALS:
    void chosen(const QString& prompt);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    Text *title_, *hint_;
    QWidget* column_;
    std::vector<PromptCard*> cards_;
};

}  // namespace studio::ui
