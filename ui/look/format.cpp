#include "ui/look/format.h"

#include <QCoreApplication>
#include <QLocale>
#include <cmath>

namespace studio::ui {
namespace {

QString tr(const char* source, int n = -1) {
    return QCoreApplication::translate("format", source, nullptr, n);
}

}  // namespace

QString pathText(const std::filesystem::path& path) {
    return QString::fromStdString(path.string());
}

std::filesystem::path path(const QString& text) {
    return std::filesystem::path(text.toStdString());
}

QString absent() {
    return QStringLiteral("–");
}

QString number(qint64 value) {
    return QLocale().toString(value);
}

QString number(double value, int decimals) {
    return std::isfinite(value) ? QLocale().toString(value, 'f', decimals) : absent();
}

QString number(std::optional<double> value, int decimals) {
    return value ? number(*value, decimals) : absent();
}

QString signedNumber(double value, int decimals) {
    if (!std::isfinite(value)) return absent();
    return (value < 0 ? QStringLiteral("−%1") : QStringLiteral("+%1")).arg(number(std::abs(value), decimals));
}

QString significant(double value, int digits) {
    return std::isfinite(value) ? QLocale().toString(value, 'g', digits) : absent();
}

QString percent(double share, int decimals) {
    return std::isfinite(share) ? tr("%1 %").arg(QLocale().toString(100 * share, 'f', decimals)) : absent();
}

QString bytes(quint64 value) {
    return QLocale().formattedDataSize(static_cast<qint64>(value), value < 1'000'000'000 ? 0 : 1,
                                       QLocale::DataSizeSIFormat);
}

QString gibibytes(quint64 value) {
    return QLocale().toString(static_cast<double>(value) / (1024.0 * 1024 * 1024), 'f', 2);
}

QString memory(quint64 value) {
    return value < (1ULL << 30) ? bytes(value) : tr("%1 GiB").arg(gibibytes(value));
}

QString duration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) return absent();
    const auto whole = static_cast<qint64>(seconds + 0.5);
    if (seconds < 10) return tr("%1 s").arg(QLocale().toString(seconds, 'f', 1));
    if (whole < 90) return tr("%1 s").arg(whole);
    const qint64 minutes = (whole + 30) / 60;
    if (minutes < 90) return tr("%1 min").arg(minutes);
    const qint64 hours = minutes / 60;
    if (hours < 48) return tr("%1 h %2 min").arg(hours).arg(minutes % 60);
    return tr("%1 days %2 h").arg(hours / 24).arg(hours % 24);
}

QString ago(double seconds) {
    return tr("%1 ago").arg(duration(seconds < 1 ? 1 : std::floor(seconds)));
}

QString joined(const QString& sentence, const QString& hint) {
    return hint.isEmpty() ? sentence : sentence + QLatin1Char(' ') + hint;
}

}  // namespace studio::ui
