// Text of strangers made safe to look at.
#pragma once

#include <QString>

namespace studio::ui {

// The same number of characters; those that cannot be seen (control characters, bidi overrides and isolates, zero-width
// ones) become pictures: NUL is ␀, U+202E is ▯. Line breaks and tabs stay; joiners stay, which scripts and emoji need.
QString visibleText(const QString& text);

// For one line: line breaks become spaces, too.
QString visibleLine(const QString& text);

}  // namespace studio::ui
