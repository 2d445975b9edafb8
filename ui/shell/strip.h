// Below the menu bar: project and subject, and what is at work, seen from every page.
#pragma once

#include <QWidget>

#include "ui/look/icons.h"
#include "ui/session/session.h"

namespace studio::ui {

class ElidedText;
class Text;

// What is at work as a pill: state, name, step, time left, bar; a run before imports and evaluations. A click goes to
// it.
class RunPill : public QWidget {
    Q_OBJECT
  public:
    explicit RunPill(Session& session, QWidget* parent = nullptr);
    QSize sizeHint() const override;

  Q_SIGNALS:
    void clicked();

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    void follow();
    Session& session_;
    QString name_, words_;
    double share_ = -1;  // < 0: unknown
    Glyph glyph_ = Glyph::Play;
};

class Strip : public QWidget {
    Q_OBJECT
  public:
    explicit Strip(Session& session, QWidget* parent = nullptr);
    void setPlace(const QString& project, const QString& place);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    ElidedText *project_, *place_;
    Text* dash_;
    RunPill* pill_;
};

}  // namespace studio::ui
