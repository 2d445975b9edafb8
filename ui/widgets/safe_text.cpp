#include "ui/widgets/safe_text.h"

#include <QTextDocument>

namespace studio::ui {
namespace {

// Of no width, or turning the direction of writing.
bool unseen(char16_t c) {
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x200B || c == 0x200E || c == 0x200F ||
           c == 0x061C || c == 0xFEFF || (c >= 0x80 && c < 0xA0) || (c >= 0xFFF9 && c <= 0xFFFB);
}

QString visible(const QString& text, bool one_line) {
    QString result = text;
    for (QChar& c : result) {
        const char16_t code = c.unicode();
        if (code == u'\n' || code == u'\r' || code == 0x2028 || code == 0x2029)
            c = one_line ? QLatin1Char(' ') : code == u'\r' ? QChar(0x240D) : QChar(u'\n');
        else if (code == u'\t')
            c = one_line ? QLatin1Char(' ') : QLatin1Char('\t');
        else if (code < 0x20)
            c = QChar(static_cast<char16_t>(0x2400 + code));
        else if (code == 0x7F)
            c = QChar(0x2421);
        else if (unseen(code))
            c = QChar(0x25AF);
    }
    return result;
}

}  // namespace

QString visibleText(const QString& text) {
    return visible(text, false);
}

QString visibleLine(const QString& text) {
    return visible(text, true);
}

QString shownText(const QString& text, bool lines, qsizetype most) {
    QString part = text.left(most + 1);
    part.replace(QLatin1String("\r\n"), QLatin1String("\n"));
    const bool cut = part.size() > most;
    return visible(part.left(most), !lines) + (cut || text.size() > most + 1 ? QStringLiteral("…") : QString());
}

QString toolTipText(const QString& text) {
    constexpr qsizetype kOneLine = 90, kMost = 2000;
    if (text.size() <= kOneLine && !Qt::mightBeRichText(text)) return text;
    return QStringLiteral("<qt>") +
           shownText(text, true, kMost).toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("<br>")) +
           QStringLiteral("</qt>");
}

}  // namespace studio::ui
