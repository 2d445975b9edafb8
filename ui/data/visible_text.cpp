#include "ui/data/visible_text.h"

namespace studio::ui {
namespace {

bool unseen(char16_t c) {
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2069) || c == 0x200B || c == 0xFEFF ||
           (c >= 0x80 && c < 0xA0) || (c >= 0xFFF9 && c <= 0xFFFB);
}

QString shown(const QString& text, bool one_line) {
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
    return shown(text, false);
}

QString visibleLine(const QString& text) {
    return shown(text, true);
}

}  // namespace studio::ui
