#include "ui/widgets/answer_block.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>

#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

AnswerBlock::AnswerBlock(Hue side, QWidget* parent)
    : QWidget(parent),
      side_(side),
      label_(new Text(Text::Kind::Section)),
      end_(new Text(Text::Kind::Secondary)),
      body_(new Text(Text::Kind::Body)) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(4 * kSpace, 0, 0, 0);
    column->setSpacing(2);
    auto* head = new QHBoxLayout;
    head->setSpacing(2 * kSpace);
    label_->setHue(side);
    head->addWidget(label_);
    head->addWidget(end_, 1);
    column->addLayout(head);
    body_->setWordWrap(true);
    body_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    body_->setSizePolicy(policy);
    column->addWidget(body_);
}

void AnswerBlock::setAnswer(const QString& label, const QString& end, const QString& text) {
    label_->setText(label);
    end_->setText(shownText(end, false, 200));
    const QString words = shownText(text.trimmed(), true, 4000);
    body_->setText(words.isEmpty() ? tr("(empty answer)") : words);
    body_->setAccessibleName(tr("Answer of %1").arg(label));
    body_->setHue(side_ == Hue::Base || words.isEmpty() ? Hue::Secondary : Hue::Text);
}

void AnswerBlock::paintEvent(QPaintEvent*) {
    QPainter(this).fillRect(QRect(0, 1, 3, height() - 2), colour(side_, this));
}

}  // namespace studio::ui
