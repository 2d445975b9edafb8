#include "ui/shell/system_report.h"

#include <QCoreApplication>
#include <QFile>
#include <QGuiApplication>
#include <QLibraryInfo>
#include <QScreen>
#include <QStorageInfo>
#include <QSysInfo>
#include <thread>

#include "jobs/places.h"
#include "ui/look/format.h"
#include "ui/session/card_words.h"

namespace studio::ui {
namespace {

QString memoryTotal() {
    QFile file(QStringLiteral("/proc/meminfo"));
    if (!file.open(QIODevice::ReadOnly)) return absent();
    const QList<QByteArray> words = file.readLine().simplified().split(' ');
    return words.size() > 1 ? gibibytes(words[1].toULongLong() * 1024) + QStringLiteral(" GiB") : absent();
}

}  // namespace

QString systemReport(Session& session) {
    QStringList lines;
    const auto add = [&lines](const QString& name, const QString& value) {
        lines << QStringLiteral("%1: %2").arg(name, value);
    };
    add(QStringLiteral("QLoRA Studio"), QCoreApplication::applicationVersion());
    add(QStringLiteral("Qt"), QLatin1String(qVersion()));
    add(QStringLiteral("System"), QSysInfo::prettyProductName() + QStringLiteral(", ") + QSysInfo::kernelVersion());
    add(QStringLiteral("Platform"), QGuiApplication::platformName());
    add(QStringLiteral("Processor cores"), QString::number(std::thread::hardware_concurrency()));
    add(QStringLiteral("Memory"), memoryTotal());
    const auto& device = session.engine().device();
    add(QStringLiteral("Engine"), device ? text(device->kind) + QStringLiteral(", ") + text(device->name)
                                         : QCoreApplication::translate("SystemReport", "not opened yet"));
    const CardWatch& cards = session.cards();
    if (!cards.driver().isEmpty()) add(QStringLiteral("NVIDIA driver"), cards.driver());
    for (const CardWatch::Card& card : cards.cards()) add(QStringLiteral("Card"), cardSummary(card));
    if (cards.problem()) add(QStringLiteral("Card"), text(cards.problem()->text()));
    if (!cards.known()) add(QStringLiteral("Card"), QCoreApplication::translate("SystemReport", "not asked yet"));
    if (const QScreen* screen = QGuiApplication::primaryScreen())
        add(QStringLiteral("Screen"), QStringLiteral("%1×%2, scale %3")
                                          .arg(screen->size().width())
                                          .arg(screen->size().height())
                                          .arg(screen->devicePixelRatio()));
    if (session.hasProject()) {
        const QStorageInfo disk(pathText(session.paths().folder));
        add(QStringLiteral("Free on the project's disk"), bytes(static_cast<quint64>(disk.bytesAvailable())));
    }
    add(QStringLiteral("Log"), pathText(jobs::logFile()));
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

QString reportOf(const Message& message) {
    QStringList lines{message.when.toString(Qt::ISODate), message.what, message.to_do, message.details};
    lines.removeAll(QString());
    return lines.join(QLatin1Char('\n')) + QStringLiteral("\n\nQLoRA Studio %1, Qt %2, %3\n\n%4")
                                               .arg(QCoreApplication::applicationVersion(), QLatin1String(qVersion()),
                                                    QSysInfo::prettyProductName(), logTail(40));
}

QString logTail(int lines) {
    QFile file(pathText(jobs::logFile()));
    if (!file.open(QIODevice::ReadOnly)) return {};
    constexpr qint64 kBytes = 256 * 1024;
    if (file.size() > kBytes) file.seek(file.size() - kBytes);
    const QStringList all = QString::fromUtf8(file.readAll()).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    return all.mid(std::max<qsizetype>(0, all.size() - lines)).join(QLatin1Char('\n'));
}

}  // namespace studio::ui
