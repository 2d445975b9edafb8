#include "ui/runs/run_side.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QProgressBar>
#include <QTableWidget>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// As high as its rows: the pane scrolls, not the table.
class FlatTable final : public QTableWidget {
  public:
    FlatTable() {
        setColumnCount(3);
        verticalHeader()->hide();
        horizontalHeader()->hide();
        setFrameShape(QFrame::NoFrame);
        setShowGrid(false);
        setEditTriggers(NoEditTriggers);
        setSelectionBehavior(SelectRows);
        setSelectionMode(SingleSelection);
        setTabKeyNavigation(false);
        setContextMenuPolicy(Qt::CustomContextMenu);
        setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        viewport()->setAutoFillBackground(false);
        horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
        horizontalHeader()->setMinimumSectionSize(10);
        verticalHeader()->setDefaultSectionSize(ui::rowHeight(font()));
    }
    QSize sizeHint() const override { return {120, rowCount() * verticalHeader()->defaultSectionSize() + 2}; }
    QSize minimumSizeHint() const override { return {80, sizeHint().height()}; }
};

}  // namespace

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
      checkpoints_(new FlatTable) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 3 * kSpace);
    column->setSpacing(2 * kSpace);
    column->addWidget(new Text(Text::Kind::Section, tr("Progress")));
    bar_->setTextVisible(false);
    bar_->setFixedHeight(6);
    bar_->setAccessibleName(tr("Progress of the run"));
    column->addWidget(bar_);
    auto* line = new QHBoxLayout;
    line->addWidget(steps_);
    line->addStretch(1);
    line->addWidget(left_);
    column->addLayout(line);
    column->addWidget(facts_);
    column->addSpacing(kSpace);
    column->addWidget(checkpoints_title_);
    checkpoints_->setAccessibleName(tr("Checkpoints"));
    column->addWidget(checkpoints_);
    column->addSpacing(kSpace);
    column->addWidget(recipe_title_);
    column->addWidget(recipe_);
    column->addSpacing(kSpace);
    column->addWidget(notices_title_);
    notices_->setWordWrap(true);
    notices_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(notices_);
    column->addStretch(1);
    setNotices({});
    connect(checkpoints_, &QWidget::customContextMenuRequested, this, &RunSide::checkpointMenu);
    connect(checkpoints_, &QTableWidget::itemSelectionChanged, this, [this] {
        const auto chosen = checkpoints_->selectedItems();
        if (!chosen.isEmpty()) Q_EMIT checkpointMarked(chosen.front()->data(Qt::UserRole + 1).toLongLong());
    });
}

void RunSide::setMemory(const QString& memory) {
    memory_ = memory;
}

void RunSide::setRun(const RunData* data, const LiveRun* live) {
    const qint64 total = live && live->total > 0 ? live->total : data && data->record ? data->record->total_steps : 0;
    const qint64 step = live ? std::max<qint64>(live->step, data ? data->lastStep() : 0) : data ? data->lastStep() : 0;
    bar_->setRange(0, 1000);
    bar_->setValue(total > 0 ? static_cast<int>(1000 * step / total) : 0);
    steps_->setText(total > 0 ? tr("%1 of %2 steps").arg(number(step), number(total)) : tr("%n step(s)", nullptr, static_cast<int>(step)));
    const bool going = live && (live->state == project::RunState::Running || live->pausing);
    left_->setText(live && live->seconds_left ? tr("%1 left").arg(duration(*live->seconds_left))
                   : going                    ? tr("measuring…")
                                              : QString());

    std::vector<FactList::Fact> facts;
    const double epoch = live ? live->epoch : data && !data->metrics.steps.empty() ? data->metrics.steps.back().epoch : 0;
    facts.push_back({tr("Epoch"), step > 0 ? number(epoch, 2) : absent()});
    const double seconds = data ? std::max(data->seconds(), live ? live->elapsed : 0) : live ? live->elapsed : 0;
    facts.push_back({tr("Training time"), step > 0 ? duration(seconds) : absent()});
    if (live && live->checkpoint_step >= 0)
        facts.push_back({tr("Last checkpoint"), ago(static_cast<double>(live->since_checkpoint.elapsed()) / 1000.0)});
    const QString device = live && !live->device.isEmpty() ? live->device
                           : data && data->record          ? text(data->record->device.name)
                                                           : QString();
    if (!device.isEmpty()) facts.push_back({tr("Device"), shownText(device, false, 18), Hue::Text, false, device});
    if (live && !memory_.isEmpty()) facts.push_back({tr("Model in memory"), memory_});
    facts_->setFacts(facts);

    std::vector<FactList::Fact> recipe;
    if (data && data->record) {
        const jobs::RunRecord& r = *data->record;
        recipe.push_back({tr("Base"), shownText(pathText(r.base_folder.filename()), false, 22), Hue::Text, false,
                          pathText(r.base_folder)});
        recipe.push_back({tr("Conversations trained on"), number(static_cast<qint64>(r.train_examples))});
        recipe.push_back({tr("Held out"), number(static_cast<qint64>(r.validation_examples))});
        recipe.push_back({tr("Trainable parameters"), number(static_cast<qint64>(r.trainable_parameters))});
        for (const auto& [key, value] : shortSettings(r.recipe)) {
            if (key == QLatin1String("r")) recipe.push_back({tr("Rank r"), value});
            if (key == QLatin1String("lr")) recipe.push_back({tr("Learning rate"), value});
        }
    }
    recipe_->setFacts(recipe);
    recipe_title_->setVisible(!recipe.empty());
    if (data)
        setCheckpoints(*data);
    else {
        checkpoints_->setRowCount(0);
        checkpoints_title_->hide();
        checkpoints_->hide();
    }
}

int RunSide::checkpointCount() const {
    return checkpoints_->rowCount();
}

void RunSide::setCheckpoints(const RunData& data) {
    const QSignalBlocker quiet(checkpoints_);
    checkpoints_title_->show();
    checkpoints_->show();
    checkpoints_title_->setText(data.checkpoints.empty() ? tr("No checkpoint yet") : tr("Checkpoints"));
    checkpoints_->setRowCount(static_cast<int>(data.checkpoints.size()));
    for (std::size_t i = 0; i < data.checkpoints.size(); ++i) {
        const CheckpointRow& row = data.checkpoints[i];
        const QString cells[] = {number(row.step), row.best ? tr("best") : tr("kept"), number(row.loss, 4)};
        for (int c = 0; c < 3; ++c) {
            auto* item = new QTableWidgetItem(cells[c]);
            item->setTextAlignment((c == 1 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
            item->setData(Qt::UserRole, pathText(row.folder));
            item->setData(Qt::UserRole + 1, row.step);
            item->setToolTip(tr("Saved %1").arg(ago(row.age)));
            if (c == 1) item->setForeground(colour(row.best ? Hue::Text : Hue::Secondary, this));
            if (row.best) item->setFont(strongFont(font()));
            checkpoints_->setItem(static_cast<int>(i), c, item);
        }
    }
    checkpoints_->setFixedHeight(checkpoints_->sizeHint().height());
}

void RunSide::setNotices(const QStringList& notices) {
    notices_title_->setVisible(!notices.isEmpty());
    notices_->setVisible(!notices.isEmpty());
    QStringList shown;
    for (const QString& notice : notices.mid(std::max<qsizetype>(0, notices.size() - 8)))
        shown << shownText(notice, false, 400);
    notices_->setText(shown.join(QStringLiteral("\n\n")));
}

void RunSide::checkpointMenu(const QPoint& place) {
    const auto chosen = checkpoints_->selectedItems();
    if (chosen.isEmpty()) return;
    const QString folder = chosen.front()->data(Qt::UserRole).toString();
    QMenu menu(this);
    menu.addAction(tr("Evaluate This Checkpoint"), this, [this, folder] { Q_EMIT evaluateWanted(folder); });
    menu.addAction(tr("Chat With This Checkpoint"), this, [this, folder] { Q_EMIT chatWanted(folder); });
    menu.addAction(tr("Show Folder"), this, [this, folder] { Q_EMIT folderWanted(folder); });
    menu.exec(checkpoints_->viewport()->mapToGlobal(place));
}

}  // namespace studio::ui
