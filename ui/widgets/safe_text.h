// Text of strangers (files, models) made safe to look at: nothing in it can hide, or change the order or the look of
// what stands beside.
#pragma once

#include <QString>

namespace studio::ui {

// The same number of characters; those that cannot be seen (control characters, marks that turn the direction of
// writing, zero-width ones) become pictures: NUL is ␀, U+202E is ▯. Line breaks and tabs stay; joiners stay, which
// scripts and emoji need.
QString visibleText(const QString& text);

// For one line: line breaks and tabs become spaces, too.
QString visibleLine(const QString& text);

// visibleText, or without `lines` visibleLine, cut after `most` characters, with "…". Of CR LF only the line break.
QString shownText(const QString& text, bool lines, qsizetype most = 8000);

// For a tool tip, which would take markup for markup: plain where it is short, else wrapped and escaped.
QString toolTipText(const QString& text);

}  // namespace studio::ui
