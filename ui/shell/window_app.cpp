#include "ui/shell/window_app.h"

#include <QApplication>
#include <QCryptographicHash>
#include <QDir>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

#include "jobs/places.h"
#include "ui/look/format.h"
#include "ui/look/icons.h"
#include "ui/shell/crash.h"
#include "ui/shell/dialogs.h"
#include "ui/shell/main_window.h"
#include "ui/shell/single_instance.h"

namespace studio::ui {
namespace {

std::shared_ptr<Logger> g_qt_log;  // Qt's message handler has no other way to reach it

void onQtMessage(QtMsgType type, const QMessageLogContext&, const QString& message) {
    if (!g_qt_log) return;
    const LogLevel level = type == QtDebugMsg || type == QtInfoMsg ? LogLevel::Debug
                           : type == QtWarningMsg                  ? LogLevel::Warning
                                                                   : LogLevel::Error;
    g_qt_log->write(level, "qt: " + utf8(message));
}

// Data folders of different persons and tests are different instances.
QString instanceName() {
    const QByteArray place = QByteArray::fromStdString(jobs::dataFolder().string());
    return QStringLiteral("qlora-studio-%1")
        .arg(QString::fromLatin1(QCryptographicHash::hash(place, QCryptographicHash::Sha1).toHex().left(12)));
}

void translate(QApplication& application) {
    const auto load = [&application](const QString& name, const QString& folder) {
        auto* translator = new QTranslator(&application);
        if (translator->load(QLocale(), name, QStringLiteral("_"), folder)) application.installTranslator(translator);
    };
    load(QStringLiteral("qtbase"), QLibraryInfo::path(QLibraryInfo::TranslationsPath));
    load(QStringLiteral("qlora-studio"), QStringLiteral(":/i18n"));
}

void tellCrash(MainWindow& window, Session& session, const RunningMark& mark) {
    if (!mark.endedBadly()) return;
    Message message;
    message.kind = Message::Kind::Careful;
    message.id = QStringLiteral("crash");
    message.what = MainWindow::tr("The program did not come to its end last time.");
    message.to_do = MainWindow::tr("Your project is as it was at the last change.");
    message.details = mark.report();
    if (!mark.report().isEmpty()) {
        message.action = MainWindow::tr("Show Report");
        message.act = [&window, report = mark.report()] {
            (new TextDialog(MainWindow::tr("Report of the last session"), report, true, &window))->show();
        };
    }
    session.messages().show(message);
}

}  // namespace

int runWindow(int argc, char** argv, const WindowOptions& options) {
    QApplication application(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("qlora-studio"));
    QCoreApplication::setApplicationVersion(options.version);
    QGuiApplication::setApplicationDisplayName(QStringLiteral("QLoRA Studio"));
    QGuiApplication::setDesktopFileName(QStringLiteral("org.qlora_studio.Studio"));
    QGuiApplication::setQuitOnLastWindowClosed(false);
    SingleInstance instance(instanceName());
    if (instance.handOver(options.paths)) return 0;
    instance.listen();
    translate(application);
    g_qt_log = options.log;
    qInstallMessageHandler(onQtMessage);

    const QString state = pathText(jobs::stateFolder());
    const RunningMark mark(state);
    writeReportOnCrash(state);
    Settings settings;
    applyTheme(settings.theme());
    int code = 0;
    {
        Session session(settings, options.log);
        MainWindow window(session);
        tellCrash(window, session, mark);
        QObject::connect(&instance, &SingleInstance::started, &window, [&window](const QStringList& paths) {
            window.openPaths(paths);
            window.raiseWindow();
        });
        if (options.on_signal)
            options.on_signal([&window] {
                QMetaObject::invokeMethod(
                    &window, [&window] { window.quitGently(); }, Qt::QueuedConnection);
            });
        window.show();
        window.openFirst(options.paths);
        code = QApplication::exec();
        if (options.on_signal) options.on_signal({});
    }
    qInstallMessageHandler(nullptr);
    g_qt_log.reset();
    return code;
}

}  // namespace studio::ui
