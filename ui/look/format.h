// Numbers as people read them, in the person's locale. An absent value is "–".
#pragma once

#include <QString>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace studio::ui {

inline QString text(std::string_view utf8) {
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}
inline std::string utf8(const QString& text) {
    return text.toStdString();
}
QString pathText(const std::filesystem::path& path);
std::filesystem::path path(const QString& text);

QString absent();                            // –
QString number(qint64 value);                // 1,489
QString number(double value, int decimals);  // 1.6021
QString number(std::optional<double> value, int decimals);
QString signedNumber(double value, int decimals);  // −0.142, +0.244
QString significant(double value, int digits);     // 1.93e-4, 0.31
QString percent(double share, int decimals);       // 0.125 → 12.5 %
QString bytes(quint64 value);                      // 1.2 GB (powers of 1000)
QString memory(quint64 value);                     // 12.40 GiB, 340 MB
QString gibibytes(quint64 value);                  // 12.4 (of GiB, without the unit)
QString duration(double seconds);                  // 38 s, 7 min, 1 h 20 min, 3 days
QString ago(double seconds);                       // 38 s ago

// `sentence` and `hint` on one line.
QString joined(const QString& sentence, const QString& hint);

}  // namespace studio::ui
