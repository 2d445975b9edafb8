#include "ui/runs/run_side.h"

#include <QProgressBar>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/runs/checkpoint_table.h"
#include "ui/session/card_words.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/flow_layout.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
RunSide::RunSide(QWidget* parent)
    : QWidget(parent),
      bar_(new QProgressBar),
      steps_(new Text(Text::Kind::Body)),
      left_(new Text(Text::Kind::Body)),
      facts_(new FactList),
      recipe_(new FactList),
      checkpoints_title_(new Text(Text::Kind::Section, tr("Checkpoints"))),
      recipe_title_(new Text(Text::Kind::Section, tr("Made from"))),
      notices_title_(new Text(Text::Kind::Section, tr("Notices"))),
      notices_(new Text(Text::Kind::Secondary)),
      checkpoints_(new CheckpointTable) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 3 * kSpace);
    column->setSpacing(2 * kSpace);
    column->addWidget(new Text(Text::Kind::Section, tr("Progress")));
    bar_->setTextVisible(false);
    bar_->setFixedHeight(6);
    bar_->setAccessibleName(tr("Progress of the run"));
    column->addWidget(bar_);
    auto* line = new FlowLayout(2 * kSpace);
    line->setFilling(true);
    left_->setAlignment(Qt::AlignRight);
    line->addWidget(steps_);
    line->addWidget(left_);
    column->addLayout(line);
    column->addWidget(facts_);
    column->addSpacing(kSpace);
    column->addWidget(checkpoints_title_);
    column->addWidget(checkpoints_);
    column->addSpacing(kSpace);
    column->addWidget(recipe_title_);
    column->addWidget(recipe_);
    column->addSpacing(kSpace);
    column->addWidget(notices_title_);
    notices_->setWordWrap(true);
    notices_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    notices_->setAccessibleName(tr("Notices"));
    column->addWidget(notices_);
    column->addStretch(1);
    setNotices({});
    connect(checkpoints_, &CheckpointTable::marked, this, &RunSide::checkpointMarked);
    connect(checkpoints_, &CheckpointTable::evaluateWanted, this, &RunSide::evaluateWanted);
    connect(checkpoints_, &CheckpointTable::chatWanted, this, &RunSide::chatWanted);
    connect(checkpoints_, &CheckpointTable::folderWanted, this, &RunSide::folderWanted);
}

void RunSide::setMemory(const QString& memory) {
    memory_ = memory;
}

void RunSide::setCard(std::optional<machine::CardReading> card) {
    card_ = std::move(card);
}

void RunSide::setRun(const RunData* run, const LiveRun* live) {
    const qint64 total = live && live->total > 0 ? live->total : run && run->record ? run->record->total_steps : 0;
    const qint64 step = live ? std::max<qint64>(live->step, run ? run->lastStep() : 0) : run ? run->lastStep() : 0;
    bar_->setRange(0, 1000);
    bar_->setValue(total > 0 ? static_cast<int>(1000 * step / total) : 0);
    steps_->setText(total > 0 ? tr("%1 of %2 steps").arg(number(step), number(total))
                              : tr("%n step(s)", nullptr, static_cast<int>(step)));
    const bool going = live && (live->state == project::RunState::Running || live->pausing);
    left_->setText(live && live->seconds_left ? tr("%1 left").arg(duration(*live->seconds_left))
                   : going                    ? tr("measuring…")
                                              : QString());

    std::vector<FactList::Fact> facts;
    const double epoch = live ? live->epoch : run && !run->metrics.steps.empty() ? run->metrics.steps.back().epoch : 0;
    facts.push_back({tr("Epoch"), step > 0 ? number(epoch, 2) : absent()});
    const double seconds = run ? std::max(run->seconds(), live ? live->elapsed : 0) : live ? live->elapsed : 0;
    facts.push_back({tr("Training time"), step > 0 ? duration(seconds) : absent()});
    if (const qint64 skipped = run ? run->skippedUpdates() : 0; skipped > 0)
        facts.push_back({tr("Skipped updates"), number(skipped), Hue::Bad, false,
                         tr("Loss or gradient was not a finite number; the adapter was left as it was.")});
    if (live && live->checkpoint_step >= 0)
        facts.push_back({tr("Last checkpoint"), ago(static_cast<double>(live->since_checkpoint.elapsed()) / 1000.0)});
    const QString device = live && !live->device.isEmpty() ? live->device
                           : run && run->record            ? text(run->record->device.name)
                                                           : QString();
    if (!device.isEmpty()) facts.push_back({tr("Device"), shownText(device, false, 18), Hue::Text, false, device});
    if (live && card_) {
        facts.push_back({tr("Card"), cardBusy(*card_)});
        facts.push_back({tr("Its memory"), cardMemory(*card_)});
        facts.push_back({tr("Temperature"), cardTemperature(*card_)});
        facts.push_back({tr("Power"), cardPower(*card_)});
    }
    if (live && !memory_.isEmpty()) facts.push_back({tr("Model in memory"), memory_});
    facts_->setFacts(facts);

    std::vector<FactList::Fact> recipe;
    if (run && run->record) {
        const jobs::RunRecord& r = *run->record;
        recipe.push_back({tr("Base"), shownText(pathText(r.base_folder.filename()), false, 22), Hue::Text, false,
                          pathText(r.base_folder)});
        recipe.push_back({tr("Trained on"), number(static_cast<qint64>(r.train_examples))});
        recipe.push_back({tr("Held out"), number(static_cast<qint64>(r.validation_examples))});
        recipe.push_back({tr("Trainable parameters"), number(static_cast<qint64>(r.trainable_parameters))});
        for (const auto& [key, value] : shortSettings(r.recipe)) {
            if (key == QLatin1String("r")) recipe.push_back({tr("Rank r"), value});
            if (key == QLatin1String("lr")) recipe.push_back({tr("Learning rate"), value});
        }
    }
    recipe_->setFacts(recipe);
    recipe_title_->setVisible(!recipe.empty());
    if (run)
        setCheckpoints(*run);
    else {
        checkpoints_->setCheckpoints({});
        checkpoints_title_->hide();
        checkpoints_->hide();
    }
}

int RunSide::checkpointCount() const {
    return checkpoints_->count();
}

void RunSide::setCheckpoints(const RunData& run) {
    checkpoints_title_->show();
    checkpoints_->setVisible(!run.checkpoints.empty());
    checkpoints_title_->setText(run.checkpoints.empty() ? tr("No checkpoint yet") : tr("Checkpoints"));
    checkpoints_->setCheckpoints(run.checkpoints);
}

void RunSide::setNotices(const QStringList& notices) {
    notices_title_->setVisible(!notices.isEmpty());
    notices_->setVisible(!notices.isEmpty());
    QStringList shown;
    for (const QString& notice : notices.mid(std::max<qsizetype>(0, notices.size() - 8)))
        shown << shownText(notice, false, 400);
    notices_->setText(shown.join(QStringLiteral("\n\n")));
}

}  // namespace studio::ui
