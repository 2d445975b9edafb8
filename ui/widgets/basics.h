// Small pieces that every page is made of.
#pragma once

#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QWidget>
#include <vector>

#include "ui/look/colours.h"
#include "ui/look/icons.h"

class QGridLayout;
class QHBoxLayout;
class QVBoxLayout;

namespace studio::ui {

// A label in one of the house's colours; follows theme and font.
class Text : public QLabel {
    Q_OBJECT
  public:
    enum class Kind { Body, Strong, Secondary, Section, Title, Figure, Code };
    explicit Text(Kind kind, const QString& text = {}, QWidget* parent = nullptr);
    void setHue(Hue hue);

  protected:
    void changeEvent(QEvent* event) override;

  private:
    void restyle();
    Kind kind_;
    Hue hue_;
    bool styling_ = false;
};

// Text that ends in "…" where it is too long; the whole is its tool tip then.
class ElidedText : public QWidget {
    Q_OBJECT
  public:
    explicit ElidedText(Text::Kind kind, const QString& text = {}, QWidget* parent = nullptr);
    void setText(const QString& text);
    QString text() const { return text_; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    QFont kindFont() const;
    Text::Kind kind_;
    QString text_;
};

// A hairline, horizontal or vertical.
class Hairline : public QWidget {
    Q_OBJECT
  public:
    explicit Hairline(Qt::Orientation orientation, QWidget* parent = nullptr);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    Qt::Orientation orientation_;
};

// Words on a rounded ground, with an optional glyph.
class Chip : public QLabel {
    Q_OBJECT
  public:
    explicit Chip(const QString& text = {}, QWidget* parent = nullptr);
    void setHues(Hue ink, Hue ground);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void restyle();
    Hue ink_ = Hue::Secondary, ground_ = Hue::Chip;
    bool styling_ = false;
};

// Words that act when pressed; in the accent's colour, reached by keyboard.
class LinkButton : public QToolButton {
    Q_OBJECT
  public:
    explicit LinkButton(const QString& text, QWidget* parent = nullptr);

  protected:
    void paintEvent(QPaintEvent* event) override;
    QSize sizeHint() const override;
};

// The strip at the top of a pane: 44 px high, a title, then whatever is added; a hairline below.
class PaneHeader : public QWidget {
    Q_OBJECT
  public:
    explicit PaneHeader(const QString& title, QWidget* parent = nullptr);
    void setTitle(const QString& title);
    QHBoxLayout* row() { return row_; }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    ElidedText* title_;
    QHBoxLayout* row_;
};

// Two columns: what, and a right-aligned value in digits of equal width.
class FactList : public QWidget {
    Q_OBJECT
  public:
    struct Fact {
        QString name, value;
        Hue hue = Hue::Text;
        bool strong = false;
        QString tool_tip = {};
    };
    explicit FactList(QWidget* parent = nullptr);
    void setFacts(const std::vector<Fact>& facts);
    QString valueOf(const QString& name) const;  // for tests

  private:
    QGridLayout* grid_;
    std::vector<std::pair<Text*, Text*>> rows_;
};

// A page or pane without content: glyph, sentence, hint, at most one button.
class EmptyState : public QWidget {
    Q_OBJECT
  public:
    EmptyState(Glyph glyph, const QString& sentence, const QString& hint = {}, QWidget* parent = nullptr);
    void setSentence(const QString& sentence, const QString& hint = {});
    QPushButton* addButton(const QString& text);  // the first is the primary one

  protected:
    void changeEvent(QEvent* event) override;

  private:
    void restyle();
    Glyph glyph_;
    QLabel* picture_;
    Text *sentence_, *hint_;
    QHBoxLayout* buttons_;
    bool styling_ = false;
};

// Font whose digits are all as wide as the widest (Qt 6.4 has no switch for tabular figures): paints `text` with every
// digit in a cell, right-aligned in `box`.
void drawFigures(QPainter& painter, const QRectF& box, const QString& text);

}  // namespace studio::ui
