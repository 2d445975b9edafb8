#include "ui/chat/composer.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QVBoxLayout>
#include <cmath>

#include "ui/look/style.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

constexpr int kLines = 2, kMostLines = 9;

}  // namespace

Composer::Composer(QWidget* parent)
    : QWidget(parent),
      edit_(new QPlainTextEdit),
      strip_(new QWidget),
      hint_(new Text(Text::Kind::Secondary)),
      button_(new QPushButton) {
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(3 * kSpace, 2 * kSpace, 3 * kSpace, 3 * kSpace);
    outer->setSpacing(kSpace);

    auto* strip = new QHBoxLayout(strip_);
    strip->setContentsMargins(kSpace, 0, kSpace, 0);
    auto* words = new Text(Text::Kind::Secondary, tr("Editing a prompt: sent as a branch of its own."));
    auto* leave = new LinkButton(tr("Cancel"));
    connect(leave, &QToolButton::clicked, this, &Composer::leaveEdit);
    strip->addWidget(words, 1);
    strip->addWidget(leave);
    strip_->hide();
    outer->addWidget(strip_);

    auto* box = new QHBoxLayout;
    box->setContentsMargins(2 * kSpace, kSpace, 2 * kSpace, kSpace);
    box->setSpacing(2 * kSpace);
    edit_->setFrameShape(QFrame::NoFrame);
    edit_->setPlaceholderText(tr("Write a message"));
    edit_->setAccessibleName(tr("Message"));
    edit_->setAccessibleDescription(tr("Ctrl+Return sends it."));
    edit_->setTabChangesFocus(true);
    edit_->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    edit_->viewport()->setAutoFillBackground(false);
    edit_->installEventFilter(this);
    box->addWidget(edit_, 1);
    hint_->setText(tr("Ctrl ↵"));
    box->addWidget(hint_, 0, Qt::AlignBottom);
    setPrimary(button_);
    box->addWidget(button_, 0, Qt::AlignBottom);
    outer->addLayout(box);

    connect(edit_, &QPlainTextEdit::textChanged, this, [this] {
        fit();
        refresh();
        Q_EMIT textChanged();
    });
    connect(button_, &QPushButton::clicked, this, [this] {
        if (answering_)
            Q_EMIT stopAsked();
        else
            Q_EMIT sendAsked();
    });
    fit();
    refresh();
}

void Composer::fit() {
    const QFontMetrics metrics(edit_->font());
    const int lines = std::clamp(static_cast<int>(edit_->document()->size().height()), kLines, kMostLines);
    edit_->setFixedHeight(lines * metrics.lineSpacing() + 2 * static_cast<int>(edit_->document()->documentMargin()) +
                          2);
    edit_->setVerticalScrollBarPolicy(edit_->document()->size().height() > kMostLines ? Qt::ScrollBarAsNeeded
                                                                                      : Qt::ScrollBarAlwaysOff);
}

void Composer::setText(const QString& text) {
    if (edit_->toPlainText() == text) return;
    edit_->setPlainText(text);
    edit_->moveCursor(QTextCursor::End);
}

void Composer::setAnswering(bool answering) {
    answering_ = answering;
    refresh();
}

void Composer::setBlocked(const QString& reason) {
    blocked_ = reason;
    refresh();
}

void Composer::refresh() {
    button_->setText(answering_ ? tr("Stop") : tr("Send"));
    button_->setAccessibleName(button_->text());
    button_->setToolTip(answering_ ? tr("Stop the answer (Esc)")
                                   : (blocked_.isEmpty() ? tr("Send the message (Ctrl+Return)") : blocked_));
    button_->setEnabled(answering_ || (blocked_.isEmpty() && !edit_->toPlainText().trimmed().isEmpty()));
    hint_->setText(answering_ ? tr("Esc") : tr("Ctrl ↵"));
    // Both words fit, so that the button never changes its place.
    const QFontMetrics metrics(button_->font());
    button_->setMinimumWidth(std::max(metrics.horizontalAdvance(tr("Stop")), metrics.horizontalAdvance(tr("Send"))) +
                             8 * kSpace);
    strip_->setVisible(editing_);
}

void Composer::beginEdit(const QString& prompt) {
    if (!editing_) kept_ = text();
    editing_ = true;
    edit_->setPlainText(prompt);
    edit_->moveCursor(QTextCursor::End);
    setFocusToText();
    refresh();
}

void Composer::leaveEdit() {
    if (!editing_) return;
    editing_ = false;
    edit_->setPlainText(std::exchange(kept_, {}));
    refresh();
    setFocusToText();
    Q_EMIT editLeft();
}

bool Composer::eventFilter(QObject* watched, QEvent* event) {
    if (watched == edit_ && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (enter && key->modifiers() & Qt::ControlModifier) {
            if (!answering_ && button_->isEnabled()) Q_EMIT sendAsked();
            return true;
        }
    }
    if (watched == edit_ && (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut)) update();
    if (watched == edit_ && event->type() == QEvent::Resize) fit();
    return QWidget::eventFilter(watched, event);
}

void Composer::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange) fit();
}

void Composer::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(QRect(0, 0, width(), 1), colour(Hue::Line, this));
    painter.setRenderHint(QPainter::Antialiasing);
    const bool focus = edit_->hasFocus();
    painter.setPen(QPen(colour(focus ? Hue::Accent : Hue::Line, this), focus ? 2 : 1));
    painter.setBrush(colour(Hue::Surface, this));
    QRect box = edit_->geometry();
    box.setRight(button_->geometry().right());
    painter.drawRoundedRect(QRectF(box).adjusted(-2 * kSpace + 1, -kSpace + 1, 2 * kSpace - 1, kSpace - 1), 5, 5);
}

}  // namespace studio::ui
