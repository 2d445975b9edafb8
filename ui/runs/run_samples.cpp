#include "ui/runs/run_samples.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <set>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/answer_block.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

class QuietCombo final : public QComboBox {
  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QComboBox::wheelEvent(event) : event->ignore(); }
};

AnswerBlock* block(Hue side, const QString& label, const project::SampleRecord& sample) {
    auto* made = new AnswerBlock(side);
    made->setAnswer(label, text(sample.end), text(sample.text));
    return made;
}

}  // namespace

RunSamples::RunSamples(QWidget* parent) : QWidget(parent), steps_(new QuietCombo), answers_(new QVBoxLayout) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2 * kSpace);
    auto* head = new QHBoxLayout;
    head->setSpacing(2 * kSpace);
    auto* title = new Text(Text::Kind::Section, tr("Sa&mples"));
    head->addWidget(title);
    title->setBuddy(steps_);
    steps_->setAccessibleName(tr("Step of the samples"));
    steps_->setFocusPolicy(Qt::StrongFocus);
    steps_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    head->addWidget(steps_);
    head->addStretch(1);
    column->addLayout(head);
    answers_->setSpacing(0);
    column->addLayout(answers_);
    connect(steps_, &QComboBox::activated, this, [this](int index) {
        follows_ = index == steps_->count() - 1;
        show(steps_->itemData(index).toLongLong());
        Q_EMIT stepChosen(shown_);
    });
    hide();
}

void RunSamples::setSamples(const std::vector<project::SampleRecord>& samples) {
    samples_ = samples;
    setVisible(!samples_.empty());
    std::set<qint64> steps;
    for (const auto& sample : samples_) steps.insert(sample.step);
    if (!steps.contains(shown_)) follows_ = true;
    steps_->clear();
    for (const qint64 step : steps) steps_->addItem(tr("step %1").arg(number(step)), QVariant::fromValue(step));
    if (steps.empty()) return;
    show(follows_ ? *steps.rbegin() : shown_);
}

void RunSamples::show(qint64 step) {
    shown_ = step;
    steps_->setCurrentIndex(steps_->findData(QVariant::fromValue(step)));
    delete body_;
    body_ = new QWidget;
    auto* column = new QVBoxLayout(body_);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2 * kSpace);
    for (const auto& sample : samples_) {
        if (sample.step != step) continue;
        auto* prompt = new Text(Text::Kind::Strong, tr("“%1”").arg(shownText(text(sample.prompt), false, 300)));
        prompt->setWordWrap(true);
        column->addWidget(prompt);
        column->addWidget(block(step == 0 ? Hue::Base : Hue::Adapted, tr("step %1").arg(number(step)), sample));
        if (step == 0) continue;
        for (const auto& first : samples_) {
            if (first.step == 0 && first.prompt == sample.prompt)
                column->addWidget(block(Hue::Base, tr("step 0"), first));
        }
    }
    answers_->addWidget(body_);
}

}  // namespace studio::ui
