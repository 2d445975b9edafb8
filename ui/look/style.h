// Fusion, flat: hairline frames, one corner radius, room for a finger's breadth of text, a focus ring that is seen.
#pragma once

#include <QProxyStyle>

class QAbstractButton;

namespace studio::ui {

enum class ThemeChoice { System, Light, Dark };

class StudioStyle final : public QProxyStyle {
    Q_OBJECT
  public:
    StudioStyle();

    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override;
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                            const QWidget* widget) const override;
    QRect subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                         const QWidget* widget) const override;
    QRect subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const override;
    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
    QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                           const QWidget* widget) const override;
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                  QStyleHintReturn* data) const override;
};

// Installs style and palette; call again when the choice changes. `System` takes light or dark from the desktop.
void applyTheme(ThemeChoice choice);

// The one button of a page that does what the page is for.
void setPrimary(QAbstractButton* button);
bool isPrimary(const QWidget* button);

}  // namespace studio::ui
