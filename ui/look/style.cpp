#include "ui/look/style.h"

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QApplication>
#include <QComboBox>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QStyleFactory>
#include <QStyleOption>

#include "ui/look/colours.h"
#include "ui/look/icons.h"
#include "ui/look/plural.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

constexpr double kRadius = 4;
constexpr const char* kPrimary = "studioPrimary";

void panel(QPainter* painter, const QRect& rect, const QColor& fill, const QColor& line, double width = 1) {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(line.isValid() ? QPen(line, width) : QPen(Qt::NoPen));
    painter->setBrush(fill.isValid() ? QBrush(fill) : QBrush(Qt::NoBrush));
    const double inset = width / 2;
    painter->drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), kRadius, kRadius);
    painter->restore();
}

QColor mixed(const QColor& a, const QColor& b, double share) {
    return QColor::fromRgbF(static_cast<float>(a.redF() * (1 - share) + b.redF() * share),
                            static_cast<float>(a.greenF() * (1 - share) + b.greenF() * share),
                            static_cast<float>(a.blueF() * (1 - share) + b.blueF() * share));
}

void button(const QStyleOption* option, QPainter* painter, const QWidget* widget) {
    const QPalette& palette = option->palette;
    const bool enabled = option->state & QStyle::State_Enabled;
    const bool down = option->state & (QStyle::State_Sunken | QStyle::State_On);
    const bool hover = option->state & QStyle::State_MouseOver;
    QColor fill = colour(Hue::Surface, palette), line = colour(Hue::Line, palette);
    if (isPrimary(widget) && enabled) {
        fill = colour(Hue::Accent, palette);
        if (hover || down) fill = mixed(fill, colour(Hue::Text, palette), down ? 0.16 : 0.08);
        line = fill;
    } else if (down) {
        fill = colour(Hue::AccentWash, palette);
        line = colour(Hue::Accent, palette);
    } else if (!enabled) {
        fill = colour(Hue::Window, palette);
    } else if (hover) {
        fill = mixed(fill, colour(Hue::Text, palette), 0.04);
    }
    panel(painter, option->rect, fill, line);
    if (!(option->state & QStyle::State_HasFocus)) return;
    // On the accent's own colour a ring in it is not seen: there it lies inside, in the colour of the words.
    if (isPrimary(widget) && enabled)
        panel(painter, option->rect.adjusted(2, 2, -2, -2), {}, colour(Hue::OnAccent, palette), 1.5);
    else
        panel(painter, option->rect, {}, colour(Hue::Accent, palette), 2);
}

}  // namespace

StudioStyle::StudioStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

void StudioStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                                const QWidget* widget) const {
    const QPalette& palette = option->palette;
    switch (element) {
        case PE_PanelButtonCommand:
        case PE_PanelButtonBevel:
            return button(option, painter, widget);
        case PE_PanelButtonTool:
            if (option->state & (State_On | State_Sunken))
                panel(painter, option->rect, colour(Hue::AccentWash, palette), {});
            else if (option->state & State_MouseOver)
                panel(painter, option->rect, colour(Hue::Chip, palette), {});
            return;
        case PE_FrameLineEdit:
        case PE_PanelLineEdit:
            if (const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
                frame && frame->lineWidth == 0 && element == PE_PanelLineEdit)
                return QProxyStyle::drawPrimitive(element, option, painter, widget);
            panel(painter, option->rect,
                  option->state & State_Enabled ? colour(Hue::Surface, palette) : colour(Hue::Window, palette),
                  option->state & State_HasFocus ? colour(Hue::Accent, palette) : colour(Hue::Line, palette),
                  option->state & State_HasFocus ? 2 : 1);
            return;
        case PE_Frame:
            panel(painter, option->rect, {},
                  option->state & State_HasFocus ? colour(Hue::Accent, palette) : colour(Hue::Line, palette));
            return;
        case PE_FrameFocusRect:
            if (qobject_cast<const QPushButton*>(widget)) return;  // has drawn it with its frame
            // Fusion draws none where it was reached by the mouse; here it is always seen.
            panel(painter, option->rect, {}, colour(Hue::Accent, palette), 2);
            return;
        case PE_FrameGroupBox:
            return;
        case PE_IndicatorCheckBox: {
            const bool on = option->state & (State_On | State_NoChange), enabled = option->state & State_Enabled;
            const QColor fill = on && enabled ? colour(Hue::Accent, palette) : colour(Hue::Surface, palette);
            panel(painter, option->rect, fill,
                  on && enabled ? fill : colour(enabled ? Hue::Faint : Hue::Line, palette));
            if (!on) return;
            const QRectF box = QRectF(option->rect).adjusted(2, 2, -2, -2);
            const QColor ink = colour(enabled ? Hue::OnAccent : Hue::Faint, palette);
            if (option->state & State_NoChange)
                painter->fillRect(QRectF(box.left() + 1, box.center().y() - 1, box.width() - 2, 2), ink);
            else
                drawGlyph(*painter, Glyph::Tick, box, ink);
            return;
        }
        case PE_IndicatorRadioButton: {
            const bool on = option->state & State_On, enabled = option->state & State_Enabled;
            const QColor ring = colour(!enabled ? Hue::Line : on ? Hue::Accent : Hue::Faint, palette);
            const QRectF box = QRectF(option->rect).adjusted(1, 1, -1, -1);
            painter->save();
            painter->setRenderHint(QPainter::Antialiasing);
            painter->setPen(QPen(ring, 1.5));
            painter->setBrush(colour(Hue::Surface, palette));
            painter->drawEllipse(box);
            if (on) {
                painter->setPen(Qt::NoPen);
                painter->setBrush(enabled ? ring : colour(Hue::Faint, palette));
                painter->drawEllipse(
                    box.adjusted(box.width() / 4, box.height() / 4, -box.width() / 4, -box.height() / 4));
            }
            painter->restore();
            return;
        }
        default:
            QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
}

void StudioStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                              const QWidget* widget) const {
    const QPalette& palette = option->palette;
    if (element == CE_PushButtonLabel && isPrimary(widget)) {
        if (const auto* b = qstyleoption_cast<const QStyleOptionButton*>(option)) {
            QStyleOptionButton copy = *b;
            if (copy.state & State_Enabled) copy.palette.setColor(QPalette::ButtonText, colour(Hue::OnAccent, palette));
            return QProxyStyle::drawControl(element, &copy, painter, widget);
        }
    }
    if (element == CE_ProgressBarGroove) {
        const QRect r = option->rect;
        const int height = std::min(6, r.height());
        panel(painter, QRect(r.x(), r.center().y() - height / 2, r.width(), height), colour(Hue::Line, palette), {});
        return;
    }
    if (element == CE_ProgressBarContents) {
        if (const auto* bar = qstyleoption_cast<const QStyleOptionProgressBar*>(option)) {
            if (bar->maximum > bar->minimum) {
                const QRect r = option->rect;
                const int height = std::min(6, r.height());
                const double share = double(bar->progress - bar->minimum) / (bar->maximum - bar->minimum);
                const int width = static_cast<int>(r.width() * std::clamp(share, 0.0, 1.0) + 0.5);
                if (width > 0)
                    panel(painter, QRect(r.x(), r.center().y() - height / 2, width, height),
                          colour(Hue::Accent, palette), {});
                return;
            }
        }
    }
    if (element == CE_HeaderSection || element == CE_HeaderEmptyArea) {
        const QRect r = option->rect;
        painter->fillRect(r, colour(Hue::Window, palette));
        painter->fillRect(r.left(), r.bottom(), r.width(), 1, colour(Hue::Line, palette));
        return;
    }
    if (element == CE_Splitter) {  // panes are divided by a hairline
        const QRect r = option->rect;
        const bool upright = option->state & State_Horizontal;
        painter->fillRect(
            upright ? QRect(r.center().x(), r.top(), 1, r.height()) : QRect(r.left(), r.center().y(), r.width(), 1),
            colour(Hue::Line, palette));
        return;
    }
    QProxyStyle::drawControl(element, option, painter, widget);
}

void StudioStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                                     const QWidget* widget) const {
    const QPalette& palette = option->palette;
    if (control == CC_ScrollBar) {
        painter->fillRect(option->rect, palette.color(QPalette::Window));
        const QRect thumb = subControlRect(control, option, SC_ScrollBarSlider, widget);
        if (!(option->state & State_Enabled) || thumb.isEmpty()) return;
        const bool held =
            option->activeSubControls & SC_ScrollBarSlider && option->state & (State_Sunken | State_MouseOver);
        panel(painter, thumb.adjusted(3, 3, -3, -3), colour(held ? Hue::Bar : Hue::BarFaint, palette), {});
        return;
    }
    if (control == CC_ComboBox) {
        const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option);
        if (combo && !combo->editable) {
            QStyleOption frame = *option;
            frame.state.setFlag(State_On, false);
            frame.state.setFlag(State_Sunken, false);
            button(&frame, painter, nullptr);
            if (option->state & State_HasFocus) panel(painter, option->rect, {}, colour(Hue::Accent, palette), 2);
            const QRect arrow = subControlRect(control, option, SC_ComboBoxArrow, widget);
            const double side = option->fontMetrics.height() * 0.6;
            drawGlyph(*painter, Glyph::Down,
                      QRectF(arrow.center().x() - side / 2, arrow.center().y() - side / 2, side, side),
                      colour(option->state & State_Enabled ? Hue::Secondary : Hue::Faint, palette));
            return;
        }
    }
    if (control == CC_SpinBox) {
        const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option);
        const bool focus = option->state & State_HasFocus;
        panel(painter, option->rect, colour(option->state & State_Enabled ? Hue::Surface : Hue::Window, palette),
              colour(focus ? Hue::Accent : Hue::Line, palette), focus ? 2 : 1);
        if (!spin || spin->buttonSymbols == QAbstractSpinBox::NoButtons) return;
        for (const bool up : {true, false}) {
            const QRect box = subControlRect(control, option, up ? SC_SpinBoxUp : SC_SpinBoxDown, widget);
            const bool can =
                spin->stepEnabled & (up ? QAbstractSpinBox::StepUpEnabled : QAbstractSpinBox::StepDownEnabled);
            painter->save();
            painter->translate(QRectF(box).center());
            if (up) painter->rotate(180);
            const double side = std::min(9.0, box.height() * 0.8);
            drawGlyph(*painter, Glyph::Down, QRectF(-side / 2, -side / 2, side, side),
                      colour(can && option->state & State_Enabled ? Hue::Secondary : Hue::Line, palette));
            painter->restore();
        }
        return;
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

QRect StudioStyle::subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                                  const QWidget* widget) const {
    const auto* bar = control == CC_ScrollBar ? qstyleoption_cast<const QStyleOptionSlider*>(option) : nullptr;
    if (!bar) return QProxyStyle::subControlRect(control, option, part, widget);
    // No arrows: the groove is the whole bar.
    const QRect all = option->rect;
    const bool upright = bar->orientation == Qt::Vertical;
    const int length = upright ? all.height() : all.width();
    const qint64 range = qint64{bar->maximum} - bar->minimum;
    int thumb = length, at = 0;
    if (range > 0) {
        const int least = std::min(length, 8 * kSpace);
        thumb = std::clamp(static_cast<int>(qint64{bar->pageStep} * length / (range + bar->pageStep)), least, length);
        at = sliderPositionFromValue(bar->minimum, bar->maximum, bar->sliderPosition, length - thumb, bar->upsideDown);
    }
    const auto piece = [&](int from, int size) {
        return visualRect(bar->direction, all,
                          upright ? QRect(all.x(), all.y() + from, all.width(), size)
                                  : QRect(all.x() + from, all.y(), size, all.height()));
    };
    switch (part) {
        case SC_ScrollBarSlider:
            return range > 0 ? piece(at, thumb) : QRect();
        case SC_ScrollBarSubPage:
            return piece(0, at);
        case SC_ScrollBarAddPage:
            return piece(at + thumb, length - at - thumb);
        case SC_ScrollBarGroove:
            return all;
        default:
            return {};
    }
}

QRect StudioStyle::subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const {
    const QRect rect = QProxyStyle::subElementRect(element, option, widget);
    // Words of a field do not touch its frame.
    if (element == SE_LineEditContents) {
        const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
        if (frame && frame->lineWidth > 0) return rect.adjusted(kSpace, 0, -kSpace, 0);
    }
    return rect;
}

int StudioStyle::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const {
    switch (metric) {
        case PM_LayoutLeftMargin:
        case PM_LayoutRightMargin:
        case PM_LayoutTopMargin:
        case PM_LayoutBottomMargin:
            return 3 * kSpace;
        case PM_LayoutHorizontalSpacing:
        case PM_LayoutVerticalSpacing:
            return 2 * kSpace;
        case PM_SplitterWidth:
            return 5;
        case PM_ButtonShiftHorizontal:
        case PM_ButtonShiftVertical:
            return 0;
        case PM_MenuPanelWidth:
            return 1;
        case PM_ScrollBarExtent:
            return 12;
        default:
            return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

QSize StudioStyle::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                                    const QWidget* widget) const {
    QSize result = QProxyStyle::sizeFromContents(type, option, size, widget);
    if (type == CT_PushButton || type == CT_LineEdit || type == CT_SpinBox || type == CT_ComboBox) {
        result.setHeight(std::max(result.height(), controlHeight(widget ? widget->font() : QApplication::font())));
        if (type == CT_PushButton) {
            // Fusion's buttons are at least 80 px wide; ours are as wide as their words.
            const auto* b = qstyleoption_cast<const QStyleOptionButton*>(option);
            if (b) {
                int width = option->fontMetrics.horizontalAdvance(b->text) + 6 * kSpace;
                if (!b->icon.isNull()) width += b->iconSize.width() + 2 * kSpace;
                if (b->features & QStyleOptionButton::HasMenu) width += 4 * kSpace;
                result.setWidth(std::max(width, result.height()));
            }
        }
    }
    return result;
}

int StudioStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                           QStyleHintReturn* data) const {
    switch (hint) {
        case SH_ItemView_ShowDecorationSelected:
            return 1;
        case SH_EtchDisabledText:
        case SH_DitherDisabledText:
            return 0;
        case SH_UnderlineShortcut:
            return 1;
        default:
            return QProxyStyle::styleHint(hint, option, widget, data);
    }
}

void applyTheme(ThemeChoice choice) {
    // The desktop's own palette, before the first of ours replaces it.
    static const bool desktop_dark = isDark(QApplication::palette());
    installEnglishPlurals();
    if (!qobject_cast<StudioStyle*>(QApplication::style())) QApplication::setStyle(new StudioStyle);
    const bool dark = choice == ThemeChoice::Dark || (choice == ThemeChoice::System && desktop_dark);
    QApplication::setPalette(housePalette(dark));
}

void setPrimary(QAbstractButton* button) {
    button->setProperty(kPrimary, true);
    button->setFont(strongFont(button->font()));
}

bool isPrimary(const QWidget* button) {
    return button && button->property(kPrimary).toBool();
}

}  // namespace studio::ui
