#include "ui/data/facet_widgets.h"

#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QPainter>
#include <QToolTip>

#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/icons.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

QString languageName(const QString& code) {
    if (code.isEmpty()) return LanguageRow::tr("no language");
    const QLocale locale(QString(code).replace(QLatin1Char('-'), QLatin1Char('_')));
    if (locale.language() == QLocale::C || locale.language() == QLocale::AnyLanguage) return code;
    const QString name = QLocale::languageToString(locale.language());
    return code.contains(QLatin1Char('-')) ? QStringLiteral("%1 (%2)").arg(name, code) : name;
}

LanguageRow::LanguageRow(QWidget* parent) : QAbstractButton(parent) {
    setCheckable(true);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void LanguageRow::setCount(const Facets::Language& language, bool active) {
    code_ = language.code;
    setText(languageName(code_));
    count_ = language.chosen == language.total ? number(language.total)
                                               : tr("%1 of %2").arg(number(language.chosen), number(language.total));
    setChecked(active);
    setEnabled(!code_.isEmpty());
    setAccessibleName(tr("%1: %2 conversations").arg(text(), count_));
    setToolTip(active ? tr("Take lang:%1 out of the filter").arg(code_) : tr("Only lang:%1").arg(code_));
    update();
}

QSize LanguageRow::sizeHint() const {
    return {fontMetrics().horizontalAdvance(text()) + fontMetrics().horizontalAdvance(count_) + 6 * kSpace,
            fontMetrics().height() + kSpace + 2};
}

void LanguageRow::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (isChecked() || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour(isChecked() ? Hue::AccentWash : Hue::Chip, this));
        painter.drawRoundedRect(rect(), 4, 4);
    }
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colour(Hue::Accent, this), 1.5));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
    }
    QRectF box = QRectF(rect()).adjusted(kSpace, 0, -kSpace, 0);
    if (isChecked()) {
        const double side = fontMetrics().height() * 0.7;
        drawGlyph(painter, Glyph::Tick, QRectF(box.left(), box.center().y() - side / 2, side, side),
                  colour(Hue::Accent, this));
        box.setLeft(box.left() + side + kSpace);
    }
    painter.setFont(secondaryFont(font()));
    painter.setPen(colour(Hue::Secondary, this));
    drawFigures(painter, box, count_);
    const int used = painter.fontMetrics().horizontalAdvance(count_) + 2 * kSpace;
    painter.setFont(isChecked() ? strongFont(font()) : font());
    painter.setPen(colour(isChecked() ? Hue::Accent : Hue::Text, this));
    const QRectF name = box.adjusted(0, 0, -used, 0);
    painter.drawText(name, static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter),
                     painter.fontMetrics().elidedText(text(), Qt::ElideRight, static_cast<int>(name.width())));
}

Histogram::Histogram(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

QSize Histogram::sizeHint() const {
    return {20 * characterWidth(font()),
            static_cast<int>(plotHeight()) + QFontMetrics(secondaryFont(font())).height() + kSpace};
}

double Histogram::plotHeight() const {
    return fontMetrics().height() * 2.4;
}

void Histogram::setBars(const std::vector<Facets::Count>& bars, const QStringList& names, const QString& first,
                        const QString& last) {
    bars_ = bars;
    names_ = names;
    first_ = first;
    last_ = last;
    cursor_ = std::clamp(cursor_, 0, std::max(0, static_cast<int>(bars_.size()) - 1));
    update();
}

void Histogram::setRange(std::optional<std::pair<int, int>> range) {
    range_ = range;
    update();
}

QRectF Histogram::barBox(int bar) const {
    const double step = static_cast<double>(width()) / static_cast<double>(std::max<std::size_t>(1, bars_.size()));
    return {bar * step + 0.5, 0, std::max(1.0, step - 1), plotHeight()};
}

int Histogram::barAt(double x) const {
    if (bars_.empty()) return -1;
    return std::clamp(static_cast<int>(x * static_cast<double>(bars_.size()) / width()), 0,
                      static_cast<int>(bars_.size()) - 1);
}

QString Histogram::spoken(int bar) const {
    if (bar < 0 || bar >= static_cast<int>(bars_.size())) return {};
    const Facets::Count& count = bars_[static_cast<std::size_t>(bar)];
    return tr("%1: %2 of %3 conversations").arg(names_.value(bar), number(count.chosen), number(count.total));
}

void Histogram::setCursorBar(int bar) {
    cursor_ = std::clamp(bar, 0, std::max(0, static_cast<int>(bars_.size()) - 1));
    setAccessibleDescription(spoken(cursor_));
    QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&changed);
    update();
}

void Histogram::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    qint64 most = 1;
    for (const auto& bar : bars_) most = std::max(most, bar.total);
    const double height = plotHeight();
    for (int i = 0; i < static_cast<int>(bars_.size()); ++i) {
        const auto& bar = bars_[static_cast<std::size_t>(i)];
        const QRectF box = barBox(i);
        const auto part = [&](qint64 n, Hue hue) {
            if (n <= 0) return;
            const double h = std::max(1.5, height * static_cast<double>(n) / static_cast<double>(most));
            painter.fillRect(QRectF(box.left(), height - h, box.width(), h), colour(hue, this));
        };
        if (i == hover_) painter.fillRect(box, colour(Hue::Chip, this));
        part(bar.total, Hue::BarFaint);
        part(bar.chosen, Hue::Bar);
        if (hasFocus() && i == cursor_) {
            painter.setPen(QPen(colour(Hue::Accent, this), 1.5));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(box.adjusted(-0.5, 0.5, 0.5, 0.5));
        }
    }
    painter.fillRect(QRectF(0, height, width(), 1), colour(Hue::Line, this));
    if (range_ && !bars_.empty()) {
        const int last = std::min(range_->second, static_cast<int>(bars_.size()) - 1);
        const double left = barBox(std::max(0, range_->first)).left(), right = barBox(last).right();
        if (right > left) painter.fillRect(QRectF(left, height, right - left, 3), colour(Hue::Accent, this));
    }
    painter.setFont(secondaryFont(font()));
    painter.setPen(colour(Hue::Secondary, this));
    const QRectF words(0, height + kSpace, width(), painter.fontMetrics().height());
    painter.drawText(words, static_cast<int>(Qt::AlignLeft), first_);
    painter.drawText(words, static_cast<int>(Qt::AlignRight), last_);
}

void Histogram::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || bars_.empty()) return;
    setCursorBar(barAt(event->position().x()));
    Q_EMIT chosen(cursor_, event->modifiers() & Qt::ShiftModifier);
}

void Histogram::mouseMoveEvent(QMouseEvent* event) {
    const int bar = barAt(event->position().x());
    if (bar == hover_) return;
    hover_ = bar;
    update();
}

void Histogram::leaveEvent(QEvent*) {
    hover_ = -1;
    update();
}

void Histogram::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Left:
            return setCursorBar(cursor_ + (isRightToLeft() ? 1 : -1));
        case Qt::Key_Right:
            return setCursorBar(cursor_ + (isRightToLeft() ? -1 : 1));
        case Qt::Key_Home:
            return setCursorBar(0);
        case Qt::Key_End:
            return setCursorBar(static_cast<int>(bars_.size()) - 1);
        case Qt::Key_Space:
        case Qt::Key_Return:
        case Qt::Key_Enter:
            if (!bars_.empty()) Q_EMIT chosen(cursor_, event->modifiers() & Qt::ShiftModifier);
            return;
        default:
            QWidget::keyPressEvent(event);
    }
}

void Histogram::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    setCursorBar(cursor_);
}

void Histogram::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    update();
}

bool Histogram::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        QToolTip::showText(help->globalPos(), spoken(barAt(help->pos().x())), this);
        return true;
    }
    return QWidget::event(event);
}

ToggleChip::ToggleChip(const QString& text, QWidget* parent) : QAbstractButton(parent) {
    setText(text);
    setCheckable(true);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

QSize ToggleChip::sizeHint() const {
    const QFontMetrics metrics(secondaryFont(font()));
    return {metrics.horizontalAdvance(text()) + metrics.height() + 4 * kSpace, metrics.height() + kSpace + 2};
}

void ToggleChip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(colour(isChecked() ? Hue::AccentWash : Hue::Chip, this));
    painter.setPen(hasFocus() ? QPen(colour(Hue::Accent, this), 1.5) : QPen(Qt::NoPen));
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), (height() - 2) / 2.0, (height() - 2) / 2.0);
    const QColor ink = colour(isChecked() ? Hue::Accent : Hue::Text, this);
    painter.setFont(secondaryFont(font()));
    const double side = painter.fontMetrics().height() * 0.75;
    QRectF box = QRectF(rect()).adjusted(2 * kSpace, 0, -2 * kSpace, 0);
    if (isChecked())
        drawGlyph(painter, Glyph::Tick, QRectF(box.left(), box.center().y() - side / 2, side, side), ink);
    else
        drawGlyph(painter, Glyph::Plus, QRectF(box.left(), box.center().y() - side / 2, side, side),
                  colour(Hue::Secondary, this));
    painter.setPen(ink);
    painter.drawText(box.adjusted(side + kSpace, 0, 0, 0), static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter), text());
}

}  // namespace studio::ui
