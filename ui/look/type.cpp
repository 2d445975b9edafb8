#include "ui/look/type.h"

#include <QFontDatabase>
#include <QFontInfo>
#include <QFontMetrics>

namespace studio::ui {
namespace {

QFont scaled(const QFont& font, double factor) {
    QFont result = font;
    const double pixels = std::max(11.0, QFontInfo(font).pixelSize() * factor);
    result.setPixelSize(static_cast<int>(pixels + 0.5));
    return result;
}

}  // namespace

QFont secondaryFont(const QFont& font) {
    return scaled(font, 0.92);
}

QFont strongFont(const QFont& font) {
    QFont result = font;
    result.setWeight(QFont::DemiBold);
    return result;
}

QFont titleFont(const QFont& font) {
    return strongFont(scaled(font, 1.15));
}

QFont figureFont(const QFont& font) {
    return strongFont(scaled(font, 1.6));
}

QFont codeFont(const QFont& font) {
    QFont result = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    result.setPixelSize(std::max(11, QFontInfo(font).pixelSize() * 94 / 100));
    return result;
}

int characterWidth(const QFontMetrics& metrics) {
    return metrics.horizontalAdvance(QLatin1Char('0'));
}

int rowHeight(const QFont& font) {
    return QFontMetrics(font).height() + 2 * kSpace;
}

int controlHeight(const QFont& font) {
    return QFontMetrics(font).height() + 10;
}

}  // namespace studio::ui
