#include "ui/widgets/basics.h"

#include <QEvent>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QPainter>
#include <QResizeEvent>
#include <QStyleOption>
#include <QVBoxLayout>

#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

QFont fontOf(Text::Kind kind, const QFont& base) {
    switch (kind) {
        case Text::Kind::Strong:
            return strongFont(base);
        case Text::Kind::Secondary:
            return secondaryFont(base);
        case Text::Kind::Section:
            return strongFont(secondaryFont(base));
        case Text::Kind::Title:
            return titleFont(base);
        case Text::Kind::Figure:
            return figureFont(base);
        case Text::Kind::Code:
            return codeFont(base);
        case Text::Kind::Body:
            break;
    }
    return base;
}

Hue hueOf(Text::Kind kind) {
    return kind == Text::Kind::Secondary || kind == Text::Kind::Section ? Hue::Secondary : Hue::Text;
}

void ink(QWidget* widget, QPalette::ColorRole role, const QColor& active, const QColor& disabled) {
    QPalette palette = widget->palette();
    for (const auto group : {QPalette::Active, QPalette::Inactive}) palette.setColor(group, role, active);
    palette.setColor(QPalette::Disabled, role, disabled);
    widget->setPalette(palette);
}

bool restyles(const QEvent* event) {
    return event->type() == QEvent::PaletteChange || event->type() == QEvent::ApplicationPaletteChange ||
           event->type() == QEvent::ApplicationFontChange || event->type() == QEvent::StyleChange;
}

}  // namespace

Text::Text(Kind kind, const QString& text, QWidget* parent) : QLabel(text, parent), kind_(kind), hue_(hueOf(kind)) {
    setTextFormat(Qt::PlainText);
    restyle();
}

void Text::setHue(Hue hue) {
    if (hue_ == hue) return;
    hue_ = hue;
    restyle();
}

void Text::restyle() {
    styling_ = true;
    setFont(fontOf(kind_, QApplication::font()));
    const QPalette application = QApplication::palette();
    ink(this, QPalette::WindowText, colour(hue_, application), colour(Hue::Faint, application));
    styling_ = false;
}

void Text::changeEvent(QEvent* event) {
    QLabel::changeEvent(event);
    if (!styling_ && restyles(event)) restyle();
}

ElidedText::ElidedText(Text::Kind kind, const QString& text, QWidget* parent) : QWidget(parent), kind_(kind) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setText(text);
}

QFont ElidedText::kindFont() const {
    return fontOf(kind_, QApplication::font());
}

void ElidedText::setText(const QString& text) {
    text_ = text;
    setAccessibleName(text);
    updateGeometry();
    resizeEvent(nullptr);
    update();
}

QSize ElidedText::sizeHint() const {
    const QFontMetrics metrics(kindFont());
    return {metrics.horizontalAdvance(text_) + 2, metrics.height() + 2};
}

QSize ElidedText::minimumSizeHint() const {
    const QFontMetrics metrics(kindFont());
    return {std::min(metrics.horizontalAdvance(text_) + 2, characterWidth(metrics) * 8), metrics.height() + 2};
}

void ElidedText::resizeEvent(QResizeEvent*) {
    setToolTip(QFontMetrics(kindFont()).horizontalAdvance(text_) > width() ? toolTipText(text_) : QString());
}

void ElidedText::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(kindFont());
    painter.setPen(colour(isEnabled() ? hueOf(kind_) : Hue::Faint, this));
    const QString shown = painter.fontMetrics().elidedText(text_, Qt::ElideRight, width());
    painter.drawText(rect(), static_cast<int>(Qt::AlignVCenter | Qt::AlignLeft | Qt::TextSingleLine), shown);
}

Hairline::Hairline(Qt::Orientation orientation, QWidget* parent) : QWidget(parent), orientation_(orientation) {
    if (orientation == Qt::Horizontal)
        setFixedHeight(1);
    else
        setFixedWidth(1);
}

void Hairline::paintEvent(QPaintEvent*) {
    QPainter(this).fillRect(rect(), colour(Hue::Line, this));
}

Chip::Chip(const QString& text, QWidget* parent) : QLabel(text, parent) {
    setTextFormat(Qt::PlainText);
    setContentsMargins(2 * kSpace, 2, 2 * kSpace, 2);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    restyle();
}

void Chip::setHues(Hue text_hue, Hue ground) {
    ink_ = text_hue;
    ground_ = ground;
    restyle();
    update();
}

void Chip::restyle() {
    styling_ = true;
    setFont(secondaryFont(QApplication::font()));
    const QColor c = colour(ink_, QApplication::palette());
    ink(this, QPalette::WindowText, c, c);
    styling_ = false;
}

void Chip::changeEvent(QEvent* event) {
    QLabel::changeEvent(event);
    if (!styling_ && restyles(event)) restyle();
}

void Chip::paintEvent(QPaintEvent* event) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour(ground_, this));
    painter.drawRoundedRect(rect(), height() / 2.0, height() / 2.0);
    painter.end();
    QLabel::paintEvent(event);
}

LinkButton::LinkButton(const QString& text, QWidget* parent) : QToolButton(parent) {
    setText(text);
    setAccessibleName(text);
    setAutoRaise(true);
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::StrongFocus);
    setToolButtonStyle(Qt::ToolButtonTextOnly);
}

QSize LinkButton::sizeHint() const {
    const QFontMetrics metrics(font());
    return {metrics.horizontalAdvance(text()) + 2 * kSpace, metrics.height() + kSpace};
}

void LinkButton::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    QFont f = font();
    f.setUnderline(underMouse() && isEnabled());
    painter.setFont(f);
    painter.setPen(colour(isEnabled() ? Hue::Accent : Hue::Faint, this));
    painter.drawText(rect(), static_cast<int>(Qt::AlignCenter | Qt::TextSingleLine | Qt::TextHideMnemonic), text());
    if (hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(colour(Hue::Accent, this), 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 3, 3);
    }
}

PaneHeader::PaneHeader(const QString& title, QWidget* parent)
    : QWidget(parent), title_(new ElidedText(Text::Kind::Strong, title)), row_(new QHBoxLayout(this)) {
    row_->setContentsMargins(3 * kSpace, kSpace, 3 * kSpace, kSpace);
    row_->setSpacing(2 * kSpace);
    row_->addWidget(title_, 1);
    setMinimumHeight(controlHeight(QApplication::font()) + 4 * kSpace);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void PaneHeader::setTitle(const QString& title) {
    title_->setText(title);
}

void PaneHeader::paintEvent(QPaintEvent*) {
    QPainter(this).fillRect(0, height() - 1, width(), 1, colour(Hue::Line, this));
}

FactList::FactList(QWidget* parent) : QWidget(parent), grid_(new QGridLayout(this)) {
    grid_->setContentsMargins(2 * kSpace, 0, 2 * kSpace, 0);
    grid_->setVerticalSpacing(kSpace + 2);
    grid_->setHorizontalSpacing(3 * kSpace);
    grid_->setColumnStretch(0, 1);
}

void FactList::setFacts(const std::vector<Fact>& facts) {
    while (rows_.size() < facts.size()) {
        auto* name = new Text(Text::Kind::Body);
        auto* value = new Text(Text::Kind::Body);
        name->setWordWrap(true);
        value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
        value->setTextInteractionFlags(Qt::TextSelectableByMouse);
        const int row = static_cast<int>(rows_.size());
        grid_->addWidget(name, row, 0);
        grid_->addWidget(value, row, 1);
        rows_.emplace_back(name, value);
    }
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        auto [name, value] = rows_[i];
        const bool used = i < facts.size();
        name->setVisible(used);
        value->setVisible(used);
        if (!used) continue;
        name->setText(facts[i].name);
        value->setText(facts[i].value);
        value->setHue(facts[i].hue);
        value->setToolTip(toolTipText(facts[i].tool_tip));
        name->setToolTip(toolTipText(facts[i].tool_tip));
        QFont font = QApplication::font();
        value->setFont(facts[i].strong ? strongFont(font) : font);
        value->setAccessibleName(facts[i].name + QStringLiteral(": ") + facts[i].value);
    }
}

QString FactList::valueOf(const QString& name) const {
    for (const auto& [label, value] : rows_) {
        if (!label->isHidden() && label->text() == name) return value->text();
    }
    return {};
}

EmptyState::EmptyState(Glyph glyph, const QString& sentence, const QString& hint, QWidget* parent)
    : QWidget(parent),
      glyph_(glyph),
      picture_(new QLabel),
      sentence_(new Text(Text::Kind::Title)),
      hint_(new Text(Text::Kind::Secondary)),
      buttons_(new QHBoxLayout) {
    auto* column = new QVBoxLayout(this);
    column->setSpacing(2 * kSpace);
    column->addStretch(2);
    picture_->setAlignment(Qt::AlignCenter);
    column->addWidget(picture_);
    for (Text* label : {sentence_, hint_}) {
        label->setAlignment(Qt::AlignCenter);
        label->setWordWrap(true);
        column->addWidget(label);
    }
    buttons_->setSpacing(2 * kSpace);
    buttons_->addStretch(1);
    buttons_->addStretch(1);
    column->addSpacing(kSpace);
    column->addLayout(buttons_);
    column->addStretch(3);
    setSentence(sentence, hint);
    restyle();
}

void EmptyState::setSentence(const QString& sentence, const QString& hint) {
    sentence_->setText(sentence);
    hint_->setText(hint);
    hint_->setVisible(!hint.isEmpty());
}

QPushButton* EmptyState::addButton(const QString& text) {
    auto* button = new QPushButton(text);
    button->setAccessibleName(text);
    if (buttons_->count() == 2) setPrimary(button);
    buttons_->insertWidget(buttons_->count() - 1, button);
    return button;
}

void EmptyState::restyle() {
    styling_ = true;
    const int side = 2 * controlHeight(QApplication::font());
    const qreal ratio = devicePixelRatioF();
    QPixmap pixmap(QSize(side, side) * ratio);
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    drawGlyph(painter, glyph_, QRectF(4, 4, side - 8, side - 8), colour(Hue::Faint, QApplication::palette()));
    painter.end();
    picture_->setPixmap(pixmap);
    styling_ = false;
}

void EmptyState::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (!styling_ && restyles(event)) restyle();
}

void drawFigures(QPainter& painter, const QRectF& box, const QString& text) {
    const QFontMetricsF metrics(painter.font());
    double cell = 0;
    for (char16_t d = u'0'; d <= u'9'; ++d) cell = std::max(cell, metrics.horizontalAdvance(QChar(d)));
    double right = box.right();
    for (qsizetype i = text.size() - 1; i >= 0; --i) {
        const QChar c = text[i];
        const double advance = metrics.horizontalAdvance(c), width = c.isDigit() ? cell : advance;
        painter.drawText(QRectF(right - width, box.top(), width, box.height()),
                         static_cast<int>(Qt::AlignCenter | Qt::TextDontClip), c);
        right -= width;
    }
}

}  // namespace studio::ui
