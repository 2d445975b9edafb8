// A session on a project of its own in a temporary folder, and photographs of widgets.
#pragma once

#include <QApplication>
#include <QTemporaryDir>
#include <QTest>
#include <QWidget>
#include <functional>
#include <memory>

#include "ui/session/session.h"

namespace studio::ui::testing {

// Sets HOME and the XDG folders to a temporary one, so that no test sees the person's own. Declare it first.
class PrivateHome {
  public:
    PrivateHome();
    QString path() const { return folder_.path(); }

  private:
    QTemporaryDir folder_;
};

class Bench {
  public:
    // `sample`: the project holds the first `sample` trees of the bundled conversations (−1: all, 0: none).
    explicit Bench(int sample = 0);
    ~Bench();
    Session& session() { return *session_; }
    QString folder() const { return home_.path(); }

  private:
    PrivateHome home_;
    std::unique_ptr<Settings> settings_;
    std::unique_ptr<Session> session_;
};

// The first `trees` trees of the bundled sample as the file `out`.
bool writeFirstTrees(const std::filesystem::path& out, int trees);

// The application's font becomes DejaVu Sans where the machine has it, whose letters are wider than most; else what
// fits depends on what is installed. STUDIO_TEST_FONT names another one to look at.
void useTestFont();

// Runs the event loop until `condition` holds; false after `timeout_ms`.
bool waitFor(const std::function<bool()>& condition, int timeout_ms = 20000);

// Shows `widget` at `size` and writes build/screens/NAME-light.png and NAME-dark.png.
void photograph(QWidget& widget, const QString& name, const QSize& size = {1280, 800});

// Every visible, enabled widget that takes focus has an accessible name; the names of those that have none.
QStringList withoutAccessibleName(const QWidget& root);

// Labels, buttons, boxes and heads of columns whose text does not fit their width or height.
QStringList clippedTexts(const QWidget& root);

// Neighbours in a layout that cover each other, for want of room.
QStringList overlaps(const QWidget& root);

// Areas that show a horizontal scroll bar.
QStringList scrolledSideways(const QWidget& root);

}  // namespace studio::ui::testing

// A main() for widget tests: offscreen, the house's style, a known font.
#define STUDIO_WIDGET_TEST(Class)                               \
    int main(int argc, char** argv) {                           \
        qputenv("QT_QPA_PLATFORM", "offscreen");                \
        QApplication application(argc, argv);                   \
        studio::ui::testing::useTestFont();                     \
        studio::ui::applyTheme(studio::ui::ThemeChoice::Light); \
        Class test;                                             \
        return QTest::qExec(&test, argc, argv);                 \
    }
