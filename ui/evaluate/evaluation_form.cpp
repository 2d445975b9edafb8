#include "ui/evaluate/evaluation_form.h"

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

class QuietCombo final : public QComboBox {
  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QComboBox::wheelEvent(event) : event->ignore(); }
};
class QuietSpin final : public QSpinBox {
  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QSpinBox::wheelEvent(event) : event->ignore(); }
};

}  // namespace

EvaluationForm::EvaluationForm(QWidget* parent)
    : QWidget(parent),
      run_(new QuietCombo),
      checkpoint_(new QuietCombo),
      answers_(new QuietSpin),
      length_(new QuietSpin),
      sentence_(new Text(Text::Kind::Strong)),
      hint_(new Text(Text::Kind::Secondary)),
      busy_text_(new Text(Text::Kind::Secondary)),
      start_(new QPushButton(tr("Start Evaluation"))),
      show_run_(new QPushButton(tr("Show the Run"))) {
    auto* page = new QVBoxLayout(this);
    page->setContentsMargins(6 * kSpace, 5 * kSpace, 6 * kSpace, 5 * kSpace);
    auto* inner = new QWidget;
    inner->setMaximumWidth(characterWidth(font()) * 96);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4 * kSpace);
    column->addWidget(new Text(Text::Kind::Title, tr("New evaluation")));
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(4 * kSpace);
    form->setVerticalSpacing(2 * kSpace);
    form->setFieldGrowthPolicy(QFormLayout::FieldsStayAtSizeHint);
    const auto row = [form](const QString& words, QWidget* field, const QString& name) {
        auto* label = new Text(Text::Kind::Body, words);
        label->setBuddy(field);
        field->setAccessibleName(name);
        field->setFocusPolicy(Qt::StrongFocus);
        form->addRow(label, field);
    };
    run_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    run_->setMinimumContentsLength(24);
    checkpoint_->setMinimumContentsLength(24);
    checkpoint_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    answers_->setRange(0, 200);
    answers_->setValue(24);
    answers_->setSpecialValueText(tr("none"));
    length_->setRange(8, 1024);
    length_->setValue(128);
    length_->setSuffix(tr(" tokens"));
    row(tr("&Run"), run_, tr("Run"));
    row(tr("&Checkpoint"), checkpoint_, tr("Checkpoint"));
    row(tr("Prompts to &answer"), answers_, tr("Prompts to answer"));
    row(tr("&Longest answer"), length_, tr("Longest answer"));
    column->addLayout(form);
    auto* said = new QVBoxLayout;
    said->setSpacing(kSpace);
    for (Text* one : {sentence_, hint_, busy_text_}) {
        one->setWordWrap(true);
        said->addWidget(one);
    }
    busy_text_->setHue(Hue::Careful);
    column->addLayout(said);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(2 * kSpace);
    auto* back = new QPushButton(tr("Back"));
    setPrimary(start_);
    buttons->addWidget(start_);
    buttons->addWidget(show_run_);
    buttons->addWidget(back);
    buttons->addStretch(1);
    column->addLayout(buttons);
    page->addWidget(inner);
    page->addStretch(1);
    connect(run_, &QComboBox::currentIndexChanged, this, [this] {
        if (filling_) return;
        wanted_.clear();
        base_wanted_ = false;
        const bool filling = std::exchange(filling_, true);
        checkpoints_.clear();
        checkpoint_->clear();
        filling_ = filling;
        Q_EMIT asked();
    });
    connect(checkpoint_, &QComboBox::currentIndexChanged, this, [this] {
        if (filling_) return;
        wanted_ = request().checkpoint;
        base_wanted_ = wanted_.empty();
        Q_EMIT asked();
    });
    connect(start_, &QPushButton::clicked, this, &EvaluationForm::startWanted);
    connect(show_run_, &QPushButton::clicked, this, &EvaluationForm::showRunWanted);
    connect(back, &QPushButton::clicked, this, &EvaluationForm::dismissed);
    tell();
}

void EvaluationForm::setRuns(const std::vector<RunEntry>& runs) {
    filling_ = true;
    const auto before =
        run_->currentIndex() >= 0 ? folders_[std::size_t(run_->currentIndex())] : std::filesystem::path();
    folders_.clear();
    run_->clear();
    for (const RunEntry& entry : runs) {
        folders_.push_back(entry.folder);
        run_->addItem(shownText(text(entry.info.name), false, 60));
        if (entry.folder == before) run_->setCurrentIndex(run_->count() - 1);
    }
    filling_ = false;
    tell();
    if (run_->currentIndex() >= 0) Q_EMIT asked();
}

void EvaluationForm::choose(const std::filesystem::path& run, const std::filesystem::path& checkpoint) {
    filling_ = true;
    for (std::size_t i = 0; i < folders_.size(); ++i) {
        if (folders_[i] == run) run_->setCurrentIndex(static_cast<int>(i));
    }
    checkpoints_.clear();
    checkpoint_->clear();
    wanted_ = checkpoint.empty() || checkpoint.is_absolute() ? checkpoint : run / checkpoint;
    base_wanted_ = false;
    filling_ = false;
    Q_EMIT asked();
}

void EvaluationForm::setOffer(const EvaluationsPresenter::Offer& offer) {
    if (run_->currentIndex() < 0 || offer.run != folders_[std::size_t(run_->currentIndex())]) return;
    offer_ = offer;
    filling_ = true;
    checkpoint_->clear();
    checkpoints_.clear();
    // What was chosen meanwhile stays, although this answers an older question.
    const bool there = std::any_of(offer.checkpoints.begin(), offer.checkpoints.end(),
                                   [&](const auto& one) { return one.folder.filename() == wanted_.filename(); });
    const auto proposed = base_wanted_ ? std::filesystem::path() : there ? wanted_ : offer.checkpoint;
    int chosen = static_cast<int>(offer.checkpoints.size());
    for (const auto& one : offer.checkpoints) {
        QString words = tr("step %1").arg(number(one.step));
        if (one.loss) words = tr("step %1 · validation loss %2").arg(number(one.step), number(*one.loss, 4));
        if (one.best) words = tr("%1 · best").arg(words);
        if (one.folder.filename() == proposed.filename()) chosen = checkpoint_->count();
        checkpoints_.push_back(one.folder);
        checkpoint_->addItem(words);
    }
    checkpoints_.emplace_back();
    checkpoint_->addItem(tr("the base model alone"));
    checkpoint_->setCurrentIndex(chosen);
    filling_ = false;
    tell();
}

QString EvaluationForm::checkpointText() const {
    return checkpoint_->currentText();
}

void EvaluationForm::setBusy(const QString& title) {
    busy_ = title;
    tell();
}

jobs::EvaluateRunRequest EvaluationForm::request() const {
    jobs::EvaluateRunRequest request;
    if (run_->currentIndex() >= 0) request.run = folders_[static_cast<std::size_t>(run_->currentIndex())];
    const int index = checkpoint_->currentIndex();
    if (index >= 0 && static_cast<std::size_t>(index) < checkpoints_.size()) {
        request.checkpoint = checkpoints_[static_cast<std::size_t>(index)];
        request.base_only = request.checkpoint.empty();
    }
    request.answers = answers_->value();
    request.max_new_tokens = length_->value();
    return request;
}

jobs::EvaluateRunRequest EvaluationForm::question() const {
    jobs::EvaluateRunRequest question = request();
    question.checkpoint = wanted_;
    question.base_only = base_wanted_;
    return question;
}

QString EvaluationForm::title() const {
    if (!offer_.plan) return run_->currentText();
    if (request().base_only) return tr("%1, base").arg(pathText(offer_.plan->record.base_folder.filename()));
    return tr("%1 @ %2").arg(run_->currentText(), number(static_cast<qint64>(offer_.plan->step)));
}

QString EvaluationForm::sentence() const {
    return sentence_->text();
}

void EvaluationForm::tell() {
    const bool known = offer_.plan.has_value();
    if (run_->count() == 0) {
        sentence_->setText(tr("There is no run to evaluate yet."));
        hint_->setText(tr("A run holds conversations out; they are what its checkpoints are measured on."));
    } else if (offer_.problem) {
        sentence_->setText(text(offer_.problem->message));
        hint_->setText(text(offer_.problem->hint));
    } else if (known) {
        QStringList names;
        for (const std::string& name : offer_.plan->data) names << shownText(text(name), false, 60);
        sentence_->setText(
            tr("Measures %n held-out conversation(s) of %1.", nullptr, static_cast<int>(offer_.plan->held_out))
                .arg(names.join(QStringLiteral(", "))));
        const QString share = percent(offer_.plan->record.provenance.validation_fraction, 1);
        hint_->setText(tr("The run set %1 of the trees aside before its first step and never trained on them. Each "
                          "conversation is measured with the adapter and with the base, paired by tree.")
                           .arg(share));
    } else {
        sentence_->setText(tr("Looking at the run…"));
        hint_->setText(QString());
    }
    hint_->setVisible(!hint_->text().isEmpty());
    busy_text_->setVisible(!busy_.isEmpty());
    busy_text_->setText(
        tr("%1 has the engine now. The evaluation waits until it is over; what was measured before can be read "
           "meanwhile.")
            .arg(busy_));
    show_run_->setVisible(!busy_.isEmpty());
    start_->setText(busy_.isEmpty() ? tr("Start Evaluation") : tr("Start When It Is Free"));
    start_->setEnabled(known && !offer_.problem && checkpoint_->count() > 0);
    start_->setToolTip(offer_.problem ? toolTipText(text(offer_.problem->message)) : QString());
}

}  // namespace studio::ui
