// Runs the real program in a process of its own.
#pragma once

#include <QProcess>
#include <QStringList>
#include <QTemporaryDir>
#include <QTest>

namespace studio::test {

struct Outcome {
    int code = -1;
    bool killed = false;
    QByteArray out, err;
};

inline QString program() {
    return QStringLiteral(STUDIO_BINARY_DIR "/bin/qlora-studio");
}

inline QProcessEnvironment environment(const QString& home) {
    QProcessEnvironment e = QProcessEnvironment::systemEnvironment();
    e.insert("XDG_STATE_HOME", home + "/state");
    e.insert("XDG_DATA_HOME", home + "/data");
    for (const char* display : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "STUDIO_ENGINE"}) e.remove(display);
    return e;
}

// `kill_after_ms` ≥ 0: SIGKILL if it still runs then.
inline Outcome run(const QStringList& arguments, const QProcessEnvironment& env, const QString& folder = {},
                   int kill_after_ms = -1) {
    QProcess process;
    process.setProcessEnvironment(env);
    if (!folder.isEmpty()) process.setWorkingDirectory(folder);
    process.start(program(), arguments);
    process.closeWriteChannel();
    Outcome outcome;
    if (!process.waitForStarted()) return outcome;
    if (kill_after_ms >= 0 && !process.waitForFinished(kill_after_ms)) process.kill();
    if (process.state() != QProcess::NotRunning && !process.waitForFinished(300000)) process.kill();
    outcome.killed = process.exitStatus() == QProcess::CrashExit;
    outcome.code = process.exitCode();
    outcome.out = process.readAllStandardOutput();
    outcome.err = process.readAllStandardError();
    return outcome;
}

}  // namespace studio::test
