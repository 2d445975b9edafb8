// Closing and quitting while a run is at work, the dialog answered by keyboard; what the desktop is told meanwhile.
#include <QDBusConnection>
#include <QDBusUnixFileDescriptor>
#include <QDialog>
#include <QMessageBox>
#include <QProcess>
#include <QPushButton>
#include <QSignalSpy>
#include <QTimer>

#include <fcntl.h>
#include <unistd.h>

#include "project/checkpoint.h"
#include "project/run_folder.h"
#include "ui/shell/kill_recipe.h"
#include "ui/shell/program.h"
#include "ui/shell/single_instance.h"

using namespace studio;
using namespace studio::ui;
using namespace studio::ui::testing;

namespace {

// What stands on the bus in place of a desktop.
class Desktop : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.Notifications")
  public:
    QStringList notified;

  public Q_SLOTS:
    uint Notify(const QString&, uint, const QString&, const QString& title, const QString& words, const QStringList&,
                const QVariantMap&, int) {
        notified << title + QLatin1Char('|') + words;
        return 7;
    }
};

class Login : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.login1.Manager")
  public:
    int asked = 0;
    int held = -1;  // the end of the pipe that is readable (at its end) once nobody holds the other

    bool isHeld() const {
        char byte;
        return held >= 0 && ::read(held, &byte, 1) < 0;
    }

  public Q_SLOTS:
    QDBusUnixFileDescriptor Inhibit(const QString& what, const QString&, const QString&, const QString& mode) {
        if (what != QLatin1String("sleep:idle") || mode != QLatin1String("block")) return {};
        ++asked;
        int ends[2];
        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return {};
        held = ends[0];
        QDBusUnixFileDescriptor fd(ends[1]);
        ::close(ends[1]);
        return fd;
    }
};

}  // namespace

class CloseTest : public QObject {
    Q_OBJECT

    PrivateHome home_;
    int number_ = 0;
    Desktop desktop_;
    Login login_;
    bool bus_ = false;

    // The next modal dialog gets these keys.
    static void answer(std::function<void(QMessageBox*)> act) {
        auto* timer = new QTimer(qApp);
        connect(timer, &QTimer::timeout, timer, [timer, act = std::move(act)] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (!box || !box->isVisible()) return;
            if (!box->isActiveWindow()) return box->activateWindow();
            timer->stop();
            timer->deleteLater();
            act(box);
        });
        timer->start(10);
    }
    static void pressButton(QMessageBox* box, const QString& words) {
        for (int i = 0; i < 6; ++i) {
            auto* focused = qobject_cast<QPushButton*>(QApplication::focusWidget());
            if (focused && focused->text().remove(QLatin1Char('&')) == words)
                return QTest::keyClick(focused, Qt::Key_Space);
            QTest::keyClick(box, Qt::Key_Tab);
        }
        QFAIL("no such button can be reached by keyboard");
    }

    // A run of many steps is at work in the window.
    void begin(Program& p, int steps) {
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("close-%1").arg(++number_), 12)));
        config::Recipe recipe = killRecipe(p.session);
        recipe.training.max_steps = steps;
        recipe.training.save_steps = 1000;
        QVERIFY(p.session.runs().start(recipe, QStringLiteral("run"), p.session.recipe().configFile()));
        QVERIFY(waitFor([&] { return p.session.runs().stepping() && p.session.runs().live()->step >= 1; }, 60000));
    }

  private Q_SLOTS:
    void initTestCase() {
        if (!QFile::exists(QStringLiteral(STUDIO_BINARY_DIR "/lib/libstudio_engine.so")))
            QSKIP("built without the engine");
        bus_ = !qEnvironmentVariableIsEmpty("STUDIO_TEST_BUS");
        if (!bus_) return;
        auto bus = QDBusConnection::connectToBus(qEnvironmentVariable("STUDIO_TEST_BUS"), QStringLiteral("desktop"));
        QVERIFY(bus.registerObject(QStringLiteral("/org/freedesktop/Notifications"), &desktop_,
                                   QDBusConnection::ExportAllSlots));
        QVERIFY(
            bus.registerObject(QStringLiteral("/org/freedesktop/login1"), &login_, QDBusConnection::ExportAllSlots));
        QVERIFY(bus.registerService(QStringLiteral("org.freedesktop.Notifications")));
        QVERIFY(bus.registerService(QStringLiteral("org.freedesktop.login1")));
    }
    void init() { desktop_.notified.clear(); }

    void cancelKeepsWindowAndRun() {
        Program p;
        begin(p, 4000);
        if (bus_) QVERIFY(waitFor([&] { return login_.isHeld(); }, 5000));
        bool asked = false;
        answer([&](QMessageBox* box) {
            asked = true;
            QVERIFY(box->text().contains(QStringLiteral("run")));
            QVERIFY(!box->informativeText().isEmpty());
            QTest::keyClick(box, Qt::Key_Escape);
        });
        QTest::keyClick(&p.window, Qt::Key_Q, Qt::ControlModifier);
        QVERIFY(waitFor([&] { return asked; }));
        QCoreApplication::processEvents();
        QVERIFY(p.window.isVisible() && !p.window.isMinimized());
        QVERIFY(p.session.runs().active());
        QVERIFY(p.session.runs().live()->state != project::RunState::Stopping);
        answer([](QMessageBox* box) { pressButton(box, QStringLiteral("Cancel")); });
        p.window.close();
        QVERIFY(p.session.runs().active() && p.window.isVisible());
        p.session.runs().stopNow();
        QVERIFY(waitFor([&] { return !p.session.runs().active(); }, 20000));
        if (bus_) QVERIFY(waitFor([&] { return !login_.isHeld(); }, 5000));
    }

    void stopAfterCheckpointClosesWhenItIsWritten() {
        Program p;
        begin(p, 4000);
        answer([](QMessageBox* box) { pressButton(box, QStringLiteral("Stop After Checkpoint")); });
        p.window.close();
        QVERIFY(p.window.isVisible());
        QVERIFY(waitFor([&] { return p.banner(QStringLiteral("quitting")) || !p.window.isVisible(); }));
        if (const auto banner = p.banner(QStringLiteral("quitting"))) QVERIFY(!banner->to_do.isEmpty());
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }, 20000));
        QVERIFY(!p.session.runs().active());
        const auto run = p.session.paths().runs() / "run";
        QCOMPARE(project::readRun(run)->state, project::RunState::Stopped);
        const auto found = project::newestCheckpoint(run);
        QVERIFY(found.newest && found.newest->step >= 1);
        QVERIFY(desktop_.notified.isEmpty());  // it was asked for
    }

    void keepTrainingMinimisesAndASecondStartRaises() {
        const QString name = QStringLiteral("qlora-studio-close-%1").arg(QCoreApplication::applicationPid());
        Program p;
        begin(p, 60);
        SingleInstance first(name);
        first.listen();
        connect(&first, &SingleInstance::started, &p.window, [&p] { p.window.raiseWindow(); });
        answer([](QMessageBox* box) { pressButton(box, QStringLiteral("Keep Training")); });
        p.window.close();
        QVERIFY(p.window.isVisible());
        QVERIFY(p.window.isMinimized() || !p.session.runs().active());
        bool taken = false;
        std::thread other([&] { taken = SingleInstance(name).handOver({}); });
        QSignalSpy started(&first, &SingleInstance::started);
        QVERIFY(waitFor([&] { return !p.window.isMinimized(); }, 10000));
        other.join();
        QVERIFY(taken);
        // In the background again, it ends and says so.
        p.window.showMinimized();
        QWidget elsewhere;
        elsewhere.show();
        elsewhere.activateWindow();
        waitFor([&] { return !p.window.isActiveWindow(); }, 2000);
        QVERIFY(waitFor([&] { return !p.session.runs().active(); }, 60000));
        if (bus_) {
            QVERIFY(waitFor([&] { return !desktop_.notified.isEmpty(); }, 5000));
            QVERIFY(desktop_.notified[0].startsWith(QStringLiteral("Training finished|")));
            QVERIFY(desktop_.notified[0].contains(QStringLiteral("run")));
        }
        QVERIFY(p.banner(QStringLiteral("run-ended")));
    }

    void inFrontNothingIsNotified() {
        Program p;
        begin(p, 4);
        p.window.activateWindow();
        QVERIFY(waitFor([&] { return p.window.isActiveWindow(); }, 5000));
        QVERIFY(waitFor([&] { return !p.session.runs().active(); }, 60000));
        waitFor([&] { return !desktop_.notified.isEmpty(); }, 300);
        QCOMPARE(desktop_.notified, QStringList());
    }

    void theRunEndsWhileTheQuestionStands() {
        Program p;
        begin(p, 30);
        QVERIFY(p.session.runs().active());
        answer([&p](QMessageBox* box) {
            waitFor([&] { return !p.session.runs().active(); }, 60000);
            pressButton(box, QStringLiteral("Stop After Checkpoint"));
        });
        p.window.close();
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }, 5000));
    }

    void aSignalEndsTheRunThenTheWindow() {
        Program p;
        begin(p, 4000);
        p.window.quitGently();  // what SIGTERM calls
        QVERIFY(p.window.isVisible());
        QCOMPARE(p.session.runs().live()->state, project::RunState::Stopping);
        p.window.close();  // asks nothing any more
        QVERIFY(!QApplication::activeModalWidget());
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }, 20000));
        QCOMPARE(project::readRun(p.session.paths().runs() / "run")->state, project::RunState::Stopped);
    }

    void aSignalWhileTheQuestionStands() {
        Program p;
        begin(p, 4000);
        answer([&p](QMessageBox* box) {
            p.window.quitGently();
            waitFor([&] { return !p.session.runs().active(); }, 20000);
            if (box->isVisible()) QTest::keyClick(box, Qt::Key_Escape);
        });
        p.window.close();
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }, 20000));
        QVERIFY(project::newestCheckpoint(p.session.paths().runs() / "run").newest);
    }

    void aSecondSignalStopsAtOnce() {
        Program p;
        begin(p, 4000);
        p.window.quitGently();
        p.window.quitGently();
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }, 20000));
    }

    void whilePreparingTheWindowClosesAtOnce() {
        Program p;
        p.window.openProject(pathText(makeProject(home_, QStringLiteral("close-%1").arg(++number_), 12)));
        QVERIFY(p.session.runs().start(killRecipe(p.session), QStringLiteral("run"), p.session.recipe().configFile()));
        p.window.quitGently();
        QVERIFY(waitFor([&] { return !p.window.isVisible(); }, 20000));
        QVERIFY(!p.session.runs().active());
        QVERIFY(waitFor([&] { return p.session.engine().busyWith().isEmpty(); }, 5000));
    }
};

int main(int argc, char** argv) {
    qputenv("QT_QPA_PLATFORM", "offscreen");
    // A bus of its own, where there is the program for one.
    QProcess daemon;
    daemon.start(QStringLiteral("dbus-daemon"),
                 {QStringLiteral("--session"), QStringLiteral("--nofork"), QStringLiteral("--print-address")});
    if (daemon.waitForStarted(3000) && daemon.waitForReadyRead(3000)) {
        const QByteArray address = daemon.readLine().trimmed();
        for (const char* variable : {"STUDIO_TEST_BUS", "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"})
            qputenv(variable, address);
    }
    QApplication application(argc, argv);
    QApplication::setQuitOnLastWindowClosed(false);
    useTestFont();
    applyTheme(ThemeChoice::Light);
    CloseTest test;
    const int code = QTest::qExec(&test, argc, argv);
    daemon.kill();
    daemon.waitForFinished(3000);
    return code;
}
#include "close_test.moc"
