// What a colour means, in light and dark. The desktop's palette decides which of the two holds.
#pragma once

#include <QColor>
#include <QPalette>
#include <QWidget>

namespace studio::ui {

enum class Hue {
    Window,
    Surface,
    Line,
    Text,
    Secondary,
    Faint,
    Accent,
    OnAccent,    // text on Accent
    AccentWash,  // ground of what is chosen
    Prompter,
    Assistant,
    Training,
    Validation,
    Base,
    Adapted,
    Good,
    Careful,
    Bad,
    CarefulWash,  // ground of a banner
    BadWash,
    GoodWash,
    Bar,       // histograms, memory, system curves
    BarFaint,  // the part that is not chosen
    Chip,      // ground of chips and badges
};

// Whether `palette` is a dark one: by the lightness of its window.
bool isDark(const QPalette& palette);

QColor colour(Hue hue, const QPalette& palette);
inline QColor colour(Hue hue, const QWidget* widget) {
    return colour(hue, widget->palette());
}

// The house's own palette, for desktops that have none.
QPalette housePalette(bool dark);

// WCAG 2.1: (L1 + 0.05) / (L2 + 0.05) of the relative luminances, 1 to 21.
double contrast(const QColor& a, const QColor& b);

}  // namespace studio::ui
