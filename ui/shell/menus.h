// The menu bar, and the keys that hold everywhere.
#pragma once

#include <QObject>
#include <QPointer>

#include "ui/session/page.h"

class QAction;
class QMenu;

namespace studio::ui {

class MainWindow;

class Menus : public QObject {
    Q_OBJECT
  public:
    Menus(MainWindow& window, Session& session);
    // The page's own actions stand in a menu of its name while it is shown.
    void setPage(Page& page);
    void noPage();
    void followRun();
    // "Ctrl+I  Import Conversations…", by menu.
    QString shortcutSheet() const;

  private:
    QAction* add(QMenu* menu, const QString& words, const QKeySequence& keys, std::function<void()> act);
    void fileMenu();
    void editMenu();
    void viewMenu();
    void runMenu();
    void helpMenu();
    void fillRecent(QMenu* menu);

    MainWindow& window_;
    Session& session_;
    QMenu *page_menu_, *edit_menu_;
    QAction* edit_end_;
    QList<QPointer<QAction>> edit_actions_;  // of the page shown
    QAction *pause_, *resume_, *stop_, *stop_now_;
    QList<QAction*> needs_project_;
};

}  // namespace studio::ui
