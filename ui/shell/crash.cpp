#include "ui/shell/crash.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <cstring>

namespace studio::ui {
namespace {

// A signal handler can reach nothing but statics; written once before it is installed.
char g_crash_file[4096];

void onCrash(int number) {
    // Only calls that are safe in a signal handler.
    const int fd = open(g_crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) {
        constexpr char kHead[] = "QLoRA Studio ended on a signal. Stack, innermost first:\n";
        [[maybe_unused]] const auto written = write(fd, kHead, sizeof kHead - 1);
        void* frames[64];
        backtrace_symbols_fd(frames, backtrace(frames, 64), fd);
        close(fd);
    }
    raise(number);  // the default action, set by SA_RESETHAND
}

}  // namespace

void writeReportOnCrash(const QString& folder) {
    QDir().mkpath(folder);
    const QByteArray file = QFile::encodeName(folder + QStringLiteral("/crash.txt"));
    if (file.size() >= static_cast<qsizetype>(sizeof g_crash_file)) return;
    std::memcpy(g_crash_file, file.constData(), static_cast<std::size_t>(file.size()) + 1);
    void* warm[1];
    backtrace(warm, 1);  // loads what it needs now, not in the handler
    struct sigaction action {};
    action.sa_handler = onCrash;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(number, &action, nullptr);
}

RunningMark::RunningMark(const QString& folder) : file_(folder + QStringLiteral("/running")) {
    QDir().mkpath(folder);
    QFile file(file_);
    if (file.open(QIODevice::ReadOnly)) {
        const qint64 pid = file.readAll().trimmed().toLongLong();
        file.close();
        ended_badly_ = pid > 0 && pid != QCoreApplication::applicationPid() && kill(static_cast<pid_t>(pid), 0) != 0;
    }
    QFile report(folder + QStringLiteral("/crash.txt"));
    if (report.exists() && report.open(QIODevice::ReadOnly)) {
        report_ = QString::fromUtf8(report.readAll());
        report.close();
        report.rename(folder + QStringLiteral("/crash-last.txt")) ||
            (QFile::remove(folder + QStringLiteral("/crash-last.txt")) &&
             report.rename(folder + QStringLiteral("/crash-last.txt")));
    }
    if (file.open(QIODevice::WriteOnly | QIODevice::Truncate))
        file.write(QByteArray::number(QCoreApplication::applicationPid()));
}

RunningMark::~RunningMark() {
    QFile::remove(file_);
}

}  // namespace studio::ui
