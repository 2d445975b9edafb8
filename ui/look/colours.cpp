#include "ui/look/colours.h"

#include <array>
#include <cmath>

namespace studio::ui {
namespace {

struct Pair {
    QRgb light, dark;
};

// By Hue, in its order.
constexpr std::array<Pair, 24> kColours{{
    {0xf4f5f7, 0x1a1c20},  // Window
    {0xffffff, 0x22252a},  // Surface
    {0xd9dde3, 0x343941},  // Line
    {0x1c1f24, 0xe7e9ed},  // Text
    {0x4d5460, 0xb4bbc6},  // Secondary
    {0x626974, 0x98a0ad},  // Faint
    {0x3457d5, 0x8aa4ff},  // Accent
    {0xffffff, 0x14161a},  // OnAccent
    {0xe4e9fb, 0x2a3354},  // AccentWash
    {0x3457d5, 0x8aa4ff},  // Prompter
    {0x0a6f6a, 0x4fc7bf},  // Assistant
    {0x3457d5, 0x8aa4ff},  // Training
    {0xb83a08, 0xff9a5c},  // Validation
    {0x626974, 0xa3abb8},  // Base
    {0x7a3fd1, 0xc3a3ff},  // Adapted
    {0x21702f, 0x69c77d},  // Good
    {0x8a5200, 0xf0b35a},  // Careful
    {0xc92a2a, 0xff8a8a},  // Bad
    {0xfff4dc, 0x372c18},  // CarefulWash
    {0xfdecec, 0x3b2225},  // BadWash
    {0xe6f3e8, 0x1f3226},  // GoodWash
    {0x8d95a2, 0x7d8694},  // Bar
    {0xb9bfc9, 0x545c68},  // BarFaint
    {0xe9ebef, 0x2f343c},  // Chip
}};

double luminance(const QColor& colour) {
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
}

}  // namespace

bool isDark(const QPalette& palette) {
    return palette.color(QPalette::Active, QPalette::Window).lightnessF() < 0.5F;
}

QColor colour(Hue hue, const QPalette& palette) {
    const Pair& pair = kColours.at(static_cast<std::size_t>(hue));
    return QColor::fromRgb(isDark(palette) ? pair.dark : pair.light);
}

QPalette housePalette(bool dark) {
    QPalette palette;
    const auto of = [dark](Hue hue) {
        const Pair& pair = kColours.at(static_cast<std::size_t>(hue));
        return QColor::fromRgb(dark ? pair.dark : pair.light);
    };
    palette.setColor(QPalette::Window, of(Hue::Window));
    palette.setColor(QPalette::WindowText, of(Hue::Text));
    palette.setColor(QPalette::Base, of(Hue::Surface));
    palette.setColor(QPalette::AlternateBase, of(Hue::Window));
    palette.setColor(QPalette::Text, of(Hue::Text));
    palette.setColor(QPalette::Button, of(Hue::Surface));
    palette.setColor(QPalette::ButtonText, of(Hue::Text));
    palette.setColor(QPalette::BrightText, of(Hue::Bad));
    palette.setColor(QPalette::Highlight, of(Hue::Accent));
    palette.setColor(QPalette::HighlightedText, of(Hue::OnAccent));
    palette.setColor(QPalette::Link, of(Hue::Accent));
    palette.setColor(QPalette::LinkVisited, of(Hue::Adapted));
    palette.setColor(QPalette::ToolTipBase, of(Hue::Surface));
    palette.setColor(QPalette::ToolTipText, of(Hue::Text));
    palette.setColor(QPalette::PlaceholderText, of(Hue::Faint));
    palette.setColor(QPalette::Light, of(Hue::Surface));
    palette.setColor(QPalette::Midlight, of(Hue::Line));
    palette.setColor(QPalette::Mid, of(Hue::Line));
    palette.setColor(QPalette::Dark, of(Hue::Bar));
    palette.setColor(QPalette::Shadow, of(Hue::Line));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, of(Hue::Faint));
    palette.setColor(QPalette::Disabled, QPalette::Highlight, of(Hue::Chip));
    palette.setColor(QPalette::Disabled, QPalette::HighlightedText, of(Hue::Faint));
    return palette;
}

double contrast(const QColor& a, const QColor& b) {
    const double first = luminance(a), second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

}  // namespace studio::ui
