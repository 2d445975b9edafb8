// The window: menus, strip, rail, banners, the six pages, status bar.
#pragma once

#include <QMainWindow>
#include <array>

#include "ui/session/page.h"
#include "ui/shell/desktop.h"

class QLabel;
class QStackedWidget;
class QTimer;

namespace studio::ui {

class Banners;
class Menus;
class Rail;
class Strip;

class MainWindow : public QMainWindow {
    Q_OBJECT
  public:
    explicit MainWindow(Session& session);
    ~MainWindow() override;

    // Makes the page where it does not exist yet.
    Page& page(PageId id);
    PageId current() const { return current_; }
    bool hasProject() const { return session_.hasProject(); }
    void showPage(PageId id);

    // Projects. Failures become banners.
    void openProject(const QString& folder);
    void newProject();
    void chooseProject();
    // The bundled conversations as a project of their own; made at first use.
    void openSample();
    void importFiles(const QStringList& files);
    void chooseImport();  // asks for files
    // A project folder, or conversation files for the open project.
    void openPaths(const QStringList& paths);
    // At the start: what was named, else what was open last, else the bundled conversations.
    void openFirst(const QStringList& paths);

    // To the front, from wherever it is.
    void raiseWindow();
    // Ends the program as closing the window does, without asking: stops after the running step first.
    void quitGently();

  protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void build();
    void fitScreen();
    void connectSession();
    template <class... Told>
    void takes(PageId id, void (Navigator::*signal)(Told...));
    void onProject();
    void onRunState();
    void onRunEnded(const RunEnd& end);
    void tellRuns();
    void tellSettings();
    void tellInterrupted();
    void tellPlace();
    void saveStates();
    void restorePage(PageId id);

    Session& session_;
    std::array<Page*, 6> pages_{};
    PageId current_ = PageId::Data;
    Rail* rail_;
    Strip* strip_;
    Banners* banners_;
    QStackedWidget* stack_;
    QWidget* no_project_;
    QLabel *status_, *status_right_;
    Menus* menus_;
    QTimer* save_timer_;
    SleepInhibitor inhibitor_;
    Notifier notifier_;
    bool quitting_ = false, interrupted_told_ = false, settings_told_ = false;
    std::filesystem::path interrupted_run_;  // the banner that offers to resume it stands
    QStringList unreadable_told_;
};

}  // namespace studio::ui
