// The six pages down the left edge; at its foot what is loaded, on which device.
#pragma once

#include <QButtonGroup>
#include <QToolButton>
#include <QWidget>

#include "ui/session/session.h"

namespace studio::ui {

class ElidedText;
class LinkButton;
class Text;

class Rail : public QWidget {
    Q_OBJECT
  public:
    explicit Rail(Session& session, QWidget* parent = nullptr);
    void setCurrent(PageId page);
    // Icons alone, for narrow windows.
    void setCompact(bool compact);

  Q_SIGNALS:
    void chosen(studio::ui::PageId page);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void tellDevice();

    Session& session_;
    QButtonGroup* buttons_;
    QWidget* foot_;
    ElidedText *device_, *held_;
    Text* memory_;
    LinkButton* unload_;
    bool compact_ = false;
};

// Its name in navigation and titles.
QString pageTitle(PageId page);

}  // namespace studio::ui
