#include "ui/evaluate/answers_view.h"

#include <QHBoxLayout>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/answer_block.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

AnswersView::AnswersView(QWidget* parent)
    : QWidget(parent),
      where_(new Text(Text::Kind::Secondary)),
      prompt_(new Text(Text::Kind::Strong)),
      back_(new QToolButton),
      next_(new QToolButton),
      adapted_(new AnswerBlock(Hue::Adapted)),
      base_(new AnswerBlock(Hue::Base)),
      alone_(new AnswerBlock(Hue::Base)) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(3 * kSpace);
    auto* head = new QHBoxLayout;
    head->setSpacing(kSpace);
    head->addWidget(new Text(Text::Kind::Section, tr("Answers")));
    head->addStretch(1);
    head->addWidget(where_);
    for (auto [button, glyph, words] :
         {std::tuple(back_, Glyph::Left, tr("Previous prompt")), std::tuple(next_, Glyph::Right, tr("Next prompt"))}) {
        button->setIcon(icon(glyph));
        button->setAutoRaise(true);
        button->setAccessibleName(words);
        button->setToolTip(words);
        button->setFocusPolicy(Qt::StrongFocus);
        head->addWidget(button);
    }
    column->addLayout(head);
    prompt_->setWordWrap(true);
    for (QWidget* widget : std::initializer_list<QWidget*>{prompt_, alone_, adapted_, base_}) column->addWidget(widget);
    column->addStretch(1);
    connect(back_, &QToolButton::clicked, this, [this] { show(shown_ - 1); });
    connect(next_, &QToolButton::clicked, this, [this] { show(shown_ + 1); });
}

void AnswersView::setRecord(const jobs::EvaluationRecord* record) {
    answers_ = record ? record->answers : std::nullopt;
    const bool any = answers_ && !answers_->request.prompts.empty();
    setVisible(any);
    if (any) show(0);
}

void AnswersView::show(int prompt) {
    const auto count = static_cast<int>(answers_->request.prompts.size());
    shown_ = std::clamp(prompt, 0, count - 1);
    const auto i = static_cast<std::size_t>(shown_);
    where_->setText(tr("%1 of %2").arg(number(qint64(shown_ + 1)), number(qint64(count))));
    back_->setEnabled(shown_ > 0);
    next_->setEnabled(shown_ + 1 < count);
    prompt_->setText(shownText(text(answers_->request.prompts[i]), true, 1200));
    const auto put = [i](AnswerBlock* block, const QString& label, const jobs::AnswerSide& side) {
        block->setAnswer(label, i < side.end.size() ? text(side.end[i]) : QString(),
                         i < side.text.size() ? text(side.text[i]) : QString());
    };
    adapted_->setVisible(answers_->base.has_value());
    base_->setVisible(answers_->base.has_value());
    alone_->setVisible(!answers_->base.has_value());
    if (answers_->base) {
        put(adapted_, tr("adapted"), answers_->model);
        put(base_, tr("base"), *answers_->base);
    } else {
        put(alone_, tr("base"), answers_->model);
    }
}

}  // namespace studio::ui
