#include "ui/chat/starters.h"

#include <QPainter>
#include <QVBoxLayout>

#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

constexpr int kInset = 3 * kSpace;
// Words are kept whole, but for those that are wider than the card.
int wrapping(const QFontMetrics& metrics, const QString& text, int width) {
    constexpr int kFlags = Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap;
    const QRect box = metrics.boundingRect(QRect(0, 0, width, 1 << 14), kFlags, text);
    return box.width() > width ? kFlags | Qt::TextWrapAnywhere : kFlags;
}

}  // namespace

PromptCard::PromptCard(QWidget* parent) : QAbstractButton(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
}

QSize PromptCard::sizeHint() const {
    return {40 * characterWidth(font()), heightForWidth(40 * characterWidth(font()))};
}

int PromptCard::heightForWidth(int width) const {
    const int room = width - 2 * kInset - fontMetrics().height() - 2 * kSpace;
    const int flags = wrapping(fontMetrics(), text(), room);
    return fontMetrics().boundingRect(QRect(0, 0, room, 1 << 14), flags, text()).height() + 2 * kInset;
}

void PromptCard::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const bool lit = underMouse() || hasFocus();
    painter.setPen(QPen(colour(lit ? Hue::Accent : Hue::Line, this), hasFocus() ? 2 : 1));
    painter.setBrush(colour(isDown() ? Hue::AccentWash : Hue::Surface, this));
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 6, 6);
    const int side = fontMetrics().height();
    painter.setPen(colour(Hue::Text, this));
    const QRect inner = rect().adjusted(kInset, kInset, -kInset - side - 2 * kSpace, -kInset);
    painter.drawText(inner, wrapping(fontMetrics(), text(), inner.width()), text());
    drawGlyph(painter, Glyph::Right,
              QRectF(rect().right() - kInset - side * 0.7, (height() - side * 0.7) / 2, side * 0.7, side * 0.7),
              colour(lit ? Hue::Accent : Hue::Faint, this));
}

void PromptCard::enterEvent(QEnterEvent*) {
    update();
}

void PromptCard::leaveEvent(QEvent*) {
    update();
}

Starters::Starters(QWidget* parent)
    : QWidget(parent),
      title_(new Text(Text::Kind::Title)),
      hint_(new Text(Text::Kind::Secondary)),
      column_(new QWidget) {
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(4 * kSpace, 4 * kSpace, 4 * kSpace, 4 * kSpace);
    outer->addStretch(2);
    outer->addWidget(column_, 0, Qt::AlignHCenter);
    outer->addStretch(3);
    auto* column = new QVBoxLayout(column_);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2 * kSpace);
    for (Text* label : {title_, hint_}) {
        label->setWordWrap(true);
        label->setAlignment(Qt::AlignCenter);
        column->addWidget(label);
    }
    column->addSpacing(2 * kSpace);
    for (int i = 0; i < 3; ++i) {
        auto* card = new PromptCard;
        card->hide();
        connect(card, &QAbstractButton::clicked, this, [this, card] { Q_EMIT chosen(card->toolTip()); });
        column->addWidget(card);
        cards_.push_back(card);
    }
    setModel({});
}

void Starters::setModel(const QString& label) {
    title_->setText(label.isEmpty() ? tr("Ask a model") : tr("Ask %1").arg(label));
}

void Starters::setPrompts(const QStringList& prompts, bool held_out) {
    hint_->setText(prompts.isEmpty() ? tr("Write a message below. Ctrl+Return sends it.")
                   : held_out        ? tr("Prompts of held-out conversations, which training never saw:")
                                     : tr("Prompts of this project's conversations:"));
    for (std::size_t i = 0; i < cards_.size(); ++i) {
        const bool used = static_cast<qsizetype>(i) < prompts.size();
        cards_[i]->setVisible(used);
        if (!used) continue;
        const QString prompt = prompts[static_cast<qsizetype>(i)];
        cards_[i]->setText(prompt);
        cards_[i]->setToolTip(toolTipText(prompt));
        cards_[i]->setAccessibleName(tr("Ask: %1").arg(prompt));
    }
    resizeEvent(nullptr);
}

void Starters::resizeEvent(QResizeEvent*) {
    const int wide = std::min(width() - 8 * kSpace, 64 * characterWidth(font()));
    column_->setFixedWidth(wide);
    for (PromptCard* card : cards_) card->setFixedHeight(card->heightForWidth(wide));
}

}  // namespace studio::ui
