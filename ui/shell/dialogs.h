// The few dialogs: each asks for one immediate decision or shows one thing.
#pragma once

#include <QDialog>

#include "ui/session/session.h"

namespace studio::ui {

// Theme, device, folders, sleep. Everything applies at once.
class SettingsDialog : public QDialog {
    Q_OBJECT
  public:
    SettingsDialog(Settings& settings, CardWatch& cards, QWidget* parent = nullptr);
};

// Name and place of a new project. Create is disabled, with the reason beside it, while they cannot be used.
class NewProjectDialog : public QDialog {
    Q_OBJECT
  public:
    explicit NewProjectDialog(const QString& parent_folder, QWidget* parent = nullptr);
    QString title() const;
    QString folder() const;

  private:
    void check();
    class QLineEdit *title_, *folder_;
    class Text* problem_;
    class QPushButton* create_;
    bool folder_edited_ = false;
};

// Closing while something is at work.
enum class CloseChoice { Keep, Stop, Cancel };
// Keep: goes on with the window minimised, a paused one is resumed. `others`: what ends with the window besides.
CloseChoice askClose(const LiveRun& live, const QList<LongWork>& others, QWidget* parent);
// The same for imports and evaluations.
CloseChoice askClose(const QList<LongWork>& work, QWidget* parent);

// A text to read and to copy: the shortcut sheet, the log, the system report, a page's help.
class TextDialog : public QDialog {
    Q_OBJECT
  public:
    TextDialog(const QString& title, const QString& text, bool code, QWidget* parent = nullptr);
};

}  // namespace studio::ui
