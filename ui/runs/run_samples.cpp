#include "ui/runs/run_samples.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>
#include <set>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

class QuietCombo final : public QComboBox {
  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QComboBox::wheelEvent(event) : event->ignore(); }
};

// An answer with a bar of its side's colour, and how it ended.
class Answer final : public QWidget {
  public:
    Answer(Hue side, const QString& label, const project::SampleRecord& sample) : side_(side) {
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(4 * kSpace, 0, 0, 0);
        column->setSpacing(2);
        auto* head = new QHBoxLayout;
        head->setSpacing(2 * kSpace);
        auto* name = new Text(Text::Kind::Section, label);
        name->setHue(side);
        head->addWidget(name);
        head->addWidget(new Text(Text::Kind::Secondary, shownText(text(sample.end), false, 200)), 1);
        column->addLayout(head);
        const QString words = shownText(text(sample.text).trimmed(), true, 4000);
        auto* body = new Text(Text::Kind::Body, words.isEmpty() ? RunSamples::tr("(empty answer)") : words);
        body->setWordWrap(true);
        body->setTextInteractionFlags(Qt::TextSelectableByMouse);
        body->setAccessibleName(RunSamples::tr("Answer of %1").arg(label));
        QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
        policy.setHeightForWidth(true);
        body->setSizePolicy(policy);
        if (side == Hue::Base || words.isEmpty()) body->setHue(Hue::Secondary);
        column->addWidget(body);
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter(this).fillRect(QRect(0, 1, 3, height() - 2), colour(side_, this));
    }

  private:
    Hue side_;
};

}  // namespace

RunSamples::RunSamples(QWidget* parent)
    : QWidget(parent), steps_(new QuietCombo), answers_(new QVBoxLayout) {
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
        auto* prompt = new Text(Text::Kind::Strong,
                                tr("“%1”").arg(shownText(text(sample.prompt), false, 300)));
        prompt->setWordWrap(true);
        column->addWidget(prompt);
        column->addWidget(new Answer(step == 0 ? Hue::Base : Hue::Adapted, tr("step %1").arg(number(step)), sample));
        if (step == 0) continue;
        for (const auto& first : samples_) {
            if (first.step == 0 && first.prompt == sample.prompt)
                column->addWidget(new Answer(Hue::Base, tr("step 0"), first));
        }
    }
    answers_->addWidget(body_);
}

}  // namespace studio::ui
