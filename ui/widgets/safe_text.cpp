#include "ui/widgets/safe_text.h"

#include <QTextDocument>

namespace studio::ui {

QString shownText(const QString& text, bool lines, qsizetype most) {
    QString out;
    out.reserve(std::min(text.size(), most));
    for (const QChar c : text) {
        if (out.size() >= most) return out + QChar(u'…');
        const char16_t u = c.unicode();
        if (u == u'\n' || u == u'\t')
            out += lines ? c : QChar(u' ');
        else if (u == u'\r')
            continue;
        else if (u < 0x20 || (u >= 0x7f && u < 0xa0) || (u >= 0x200b && u <= 0x200f) || (u >= 0x2028 && u <= 0x202e) ||
                 (u >= 0x2060 && u <= 0x206f) || u == 0xfeff || u == 0x061c)
            out += QChar(0x25a1);
        else
            out += c;
    }
    return out;
}

QString toolTipText(const QString& text) {
    constexpr qsizetype kOneLine = 90, kMost = 2000;
    if (text.size() <= kOneLine && !Qt::mightBeRichText(text)) return text;
    return QStringLiteral("<qt>") +
           shownText(text, true, kMost).toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("<br>")) +
           QStringLiteral("</qt>");
}

}  // namespace studio::ui
