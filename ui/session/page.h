// What every page of the window offers the shell.
#pragma once

#include <QAction>
#include <QJsonObject>
#include <QWidget>
#include <functional>

#include "ui/session/navigator.h"
#include "ui/session/session.h"

namespace studio::ui {

class Page : public QWidget {
    Q_OBJECT
  public:
    Page(PageId id, Session& session, QWidget* parent = nullptr) : QWidget(parent), id_(id), session_(session) {}

    PageId id() const { return id_; }
    // What the page is about now, for the strip and the window's title ("studio-r16 @ 400"); empty: only its name.
    virtual QString subject() const { return {}; }
    // For the status bar, left and right.
    virtual QString status() const { return {}; }
    virtual QString statusRight() const { return {}; }
    // A few sentences for F1: what this page is for and what the keys do.
    virtual QString help() const = 0;
    // For the menus: each has words, a shortcut or none, a status tip. Owned by the page.
    const QList<QAction*>& pageActions() const { return actions_; }
    // Ctrl+F.
    virtual void focusSearch() {}
    // Esc: closes something transient. False if there was nothing.
    virtual bool escape() { return false; }
    // The page came to the front; a page loads nothing before.
    virtual void activated() {}
    // What it shows (filter, selection, scroll), to be as it was tomorrow. Only small things; files keep the rest.
    virtual QJsonObject saveState() const { return {}; }
    virtual void restoreState(const QJsonObject& state) { (void)state; }

  Q_SIGNALS:
    void subjectChanged();
    void statusChanged();

  protected:
    Session& session() const { return session_; }
    // One of pageActions(). Its keys hold while the page is shown, wherever the keyboard is.
    QAction* addPageAction(const QString& words, const QKeySequence& keys, const QString& tip,
                           std::function<void()> act) {
        auto* action = new QAction(words, this);
        action->setShortcut(keys);
        action->setStatusTip(tip);
        connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
        addAction(action);
        actions_ << action;
        return action;
    }

  private:
    PageId id_;
    Session& session_;
    QList<QAction*> actions_;
};

}  // namespace studio::ui
