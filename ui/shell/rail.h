// The six pages down the left edge; at its foot what is loaded, on which device, and how that card is doing.
#pragma once

#include <QButtonGroup>
#include <QToolButton>
#include <QWidget>

#include "ui/session/session.h"

namespace studio::ui {

class ElidedText;
class LinkButton;
class MemoryBar;
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
    // The card that computes or will; null: the processor does, or no card is told.
    const CardWatch::Card* card() const;
    void tellCard(const CardWatch::Card& card);

    Session& session_;
    QButtonGroup* buttons_;
    QWidget* foot_;
    ElidedText *device_, *held_;
    QWidget* card_;  // how it is doing
    Text *card_memory_, *heat_, *busy_, *memory_;
    MemoryBar* bar_;
    LinkButton* unload_;
    bool compact_ = false;
};

// Its name in navigation and titles.
QString pageTitle(PageId page);

}  // namespace studio::ui
