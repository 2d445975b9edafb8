// Sizes of type and space, derived from the application's font.
#pragma once

#include <QFont>
#include <QFontMetrics>
#include <QWidget>

namespace studio::ui {

inline constexpr int kSpace = 4;  // every margin and gap is a multiple

// One step smaller than `font`, never under 11 px.
QFont secondaryFont(const QFont& font);
QFont strongFont(const QFont& font);  // bold
QFont titleFont(const QFont& font);   // one step larger, bold
QFont figureFont(const QFont& font);  // a headline number
QFont codeFont(const QFont& font);    // monospaced, of the same height

// Width of a figure, by which panes and fields are measured. (averageCharWidth() counts every script that the font has:
// it is narrower in DejaVu Sans than in Noto Sans, whose letters are the narrower ones.)
int characterWidth(const QFontMetrics& metrics);
inline int characterWidth(const QFont& font) {
    return characterWidth(QFontMetrics(font));
}

// Height of a row that holds one line of `font` and of a button or field.
int rowHeight(const QFont& font);
int controlHeight(const QFont& font);

}  // namespace studio::ui
