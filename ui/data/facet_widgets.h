// What the filter column is made of: rows of languages, histograms, chips. Each acts by mouse and by keyboard.
#pragma once

#include <QAbstractButton>
#include <QWidget>
#include <optional>
#include <vector>

#include "ui/data/library.h"
#include "ui/look/type.h"

namespace studio::ui {

// "English    8,412 of 9,846", pressed in where the filter names it.
class LanguageRow : public QAbstractButton {
    Q_OBJECT
  public:
    explicit LanguageRow(QWidget* parent = nullptr);
    void setCount(const Facets::Language& language, bool active);
    const QString& code() const { return code_; }
    QSize sizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    QString code_, count_;
};

// "en" → "English".
QString languageName(const QString& code);

// Bars that show all conversations faint and the chosen ones strong. A bar is chosen by click, or by the arrow keys and
// Space.
class Histogram : public QWidget {
    Q_OBJECT
  public:
    explicit Histogram(QWidget* parent = nullptr);
    // `names`: what each bar is, for tool tips and screen readers. `first`, `last`: the words below.
    void setBars(const std::vector<Facets::Count>& bars, const QStringList& names, const QString& first,
                 const QString& last);
    // The bars that the filter asks for; nullopt: it does not ask.
    void setRange(std::optional<std::pair<int, int>> range);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {8 * characterWidth(font()), sizeHint().height()}; }

  Q_SIGNALS:
    void chosen(int bar, bool extend);  // extend: Shift was held

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;

  private:
    QRectF barBox(int bar) const;
    int barAt(double x) const;
    double plotHeight() const;
    void setCursorBar(int bar);
    QString spoken(int bar) const;

    std::vector<Facets::Count> bars_;
    QStringList names_;
    QString first_, last_;
    std::optional<std::pair<int, int>> range_;
    int cursor_ = 0, hover_ = -1;
};

// A chip that is pressed in or not: a tick tells it without colour.
class ToggleChip : public QAbstractButton {
    Q_OBJECT
  public:
    explicit ToggleChip(const QString& text, QWidget* parent = nullptr);
    QSize sizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;
};

}  // namespace studio::ui
