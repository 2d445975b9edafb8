#include "ui/runs/runs_page.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QTimer>
#include <QUrl>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/runs/run_banner.h"
#include "ui/runs/run_list.h"
#include "ui/runs/run_plots.h"
#include "ui/runs/run_samples.h"
#include "ui/runs/run_side.h"
#include "ui/runs/runs_presenter.h"
#include "ui/runs/runs_table.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

QScrollArea* scrolling(QWidget* content, const QString& name) {
    auto* area = new QScrollArea;
    area->setWidget(content);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    area->setAccessibleName(name);
    area->setFocusPolicy(Qt::NoFocus);
    return area;
}

}  // namespace

RunsPage::RunsPage(Session& session, QWidget* parent)
    : Page(PageId::Runs, session, parent),
      presenter_(new RunsPresenter(session, this)),
      splitter_(new QSplitter(Qt::Horizontal)),
      stack_(new QStackedWidget) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(splitter_);
    splitter_->setHandleWidth(1);
    splitter_->setChildrenCollapsible(false);
    buildList();
    buildDetail();
    empty_ = new EmptyState(
        Glyph::Runs, tr("No runs yet"),
        tr("A run trains the adapter of a recipe. Choose conversations and settings, then press Start."));
    connect(empty_->addButton(tr("Open Recipe")), &QPushButton::clicked, this,
            [this] { Q_EMIT this->session().go().showPage(PageId::Recipe); });
    unreadable_ = new EmptyState(Glyph::Careful, QString());
    connect(unreadable_->addButton(tr("Read Again")), &QPushButton::clicked, presenter_, &RunsPresenter::reload);
    table_ = new RunsTable(list_->runs());
    unread_ = new QWidget;  // before the first answer
    stack_->addWidget(unread_);
    stack_->addWidget(empty_);
    stack_->addWidget(detail_);
    stack_->addWidget(table_);
    stack_->addWidget(unreadable_);
    splitter_->addWidget(left_);
    splitter_->addWidget(stack_);
    splitter_->setStretchFactor(1, 1);
    const int wide = characterWidth(font());
    splitter_->setSizes({wide * 37, wide * 140});
    buildActions();
    connectAll();
    // Ages go on where nothing else happens, while the run is paused.
    auto* clock = new QTimer(this);
    clock->setInterval(1000);
    connect(clock, &QTimer::timeout, this, [this] {
        if (isVisible() && presenter_->liveSelected()) showProgress();
    });
    clock->start();
    showAll();
}

void RunsPage::buildList() {
    left_ = new QWidget;
    auto* column = new QVBoxLayout(left_);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* header = new PaneHeader(tr("Runs"));
    table_button_ = new QPushButton(tr("Table"));
    table_button_->setCheckable(true);
    table_button_->setToolTip(tr("All runs as a table to sort and compare"));
    auto* start_new = new QPushButton(tr("New Run"));
    setPrimary(start_new);
    connect(start_new, &QPushButton::clicked, this, [this] { Q_EMIT session().go().showPage(PageId::Recipe); });
    header->row()->addWidget(table_button_);
    header->row()->addWidget(start_new);
    list_ = new RunList;
    column->addWidget(header);
    column->addWidget(list_, 1);
    left_->setMinimumWidth(std::max(characterWidth(font()) * 22, header->minimumSizeHint().width()));
}

void RunsPage::buildDetail() {
    detail_ = new QWidget;
    auto* column = new QVBoxLayout(detail_);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);

    header_ = new QWidget;
    auto* head = new QHBoxLayout(header_);
    head->setContentsMargins(4 * kSpace, kSpace, 3 * kSpace, kSpace);
    head->setSpacing(2 * kSpace);
    header_->setFixedHeight(controlHeight(font()) + 4 * kSpace - 1);
    name_ = new ElidedText(Text::Kind::Strong);
    head->addWidget(name_);
    chips_ = new QHBoxLayout;
    chips_->setSpacing(2 * kSpace);
    head->addLayout(chips_);
    head->addStretch(1);
    chat_ = new QPushButton(tr("Chat With It"));
    pause_ = new QPushButton;
    stop_ = new QPushButton(icon(Glyph::Stop), tr("Stop After This Step"));
    for (QPushButton* button : {chat_, pause_, stop_}) head->addWidget(button);
    column->addWidget(header_);
    column->addWidget(new Hairline(Qt::Horizontal));

    auto* content = new QWidget;
    column_ = new QVBoxLayout(content);
    column_->setContentsMargins(4 * kSpace, 3 * kSpace, 4 * kSpace, 4 * kSpace);
    column_->setSpacing(4 * kSpace);
    banner_ = new RunBanner;
    plots_ = new RunPlots;
    samples_ = new RunSamples;
    column_->addWidget(banner_);
    column_->addWidget(plots_, 1);
    column_->addWidget(samples_);
    scroll_ = scrolling(content, tr("The chosen run"));
    side_ = new RunSide;
    side_scroll_ = scrolling(side_, tr("Progress and checkpoints"));
    side_scroll_->setFixedWidth(characterWidth(font()) * 36);
    side_line_ = new Hairline(Qt::Vertical);
    auto* body = new QHBoxLayout;
    body->setSpacing(0);
    body->addWidget(scroll_, 1);
    body->addWidget(side_line_);
    body->addWidget(side_scroll_);
    column->addLayout(body, 1);
}

void RunsPage::buildActions() {
    resume_action_ =
        addPageAction(tr("Resume Run"), {}, tr("Go on from the newest checkpoint"), [this] { act(RunAct::Resume); });
    addPageAction(tr("Table of Runs"), QKeySequence(QStringLiteral("Ctrl+T")),
                  tr("All runs as a table to sort and compare"), [this] { showTable(!table_button_->isChecked()); });
    addPageAction(tr("New Run From This Recipe"), {}, tr("Takes the recipe of the chosen run to edit"),
                  [this] { act(RunAct::NewFromThis); });
    addPageAction(tr("Show Adapter Folder"), {}, tr("Opens the folder of the newest checkpoint"),
                  [this] { act(RunAct::ShowFolder); });
    png_action_ = addPageAction(tr("Export Loss Plot as PNG…"), {}, tr("The plot as it is shown"),
                                [this] { savePlot(&plots_->loss(), true); });
    csv_action_ = addPageAction(tr("Export Loss Values as CSV…"), {}, tr("Every recorded step"),
                                [this] { savePlot(&plots_->loss(), false); });
    addPageAction(tr("Read Runs Again"), QKeySequence(QKeySequence::Refresh), tr("Reads the folder of runs again"),
                  [this] {
                      presenter_->start();
                      presenter_->reload();
                  });
    delete_action_ = addPageAction(tr("Move Run to Trash"), {}, tr("Moves the chosen run to the project's trash"),
                                   [this] { remove(presenter_->selected()); });
}

void RunsPage::connectAll() {
    connect(presenter_, &RunsPresenter::runsChanged, this, [this] {
        list_->runs().setRuns(presenter_->runs());
        list_->runs().setLive(presenter_->live());
        if (!wanted_.empty() && presenter_->indexOf(wanted_) >= 0) presenter_->select(std::exchange(wanted_, {}));
        list_->choose(presenter_->selected());
        showAll();
        if (std::exchange(focus_list_, false) && left_->isVisible()) list_->setFocus();
    });
    connect(presenter_, &RunsPresenter::selectionChanged, this, [this] {
        list_->choose(presenter_->selected());
        Q_EMIT subjectChanged();
    });
    connect(presenter_, &RunsPresenter::dataChanged, this, [this] {
        const LiveRun* live = presenter_->liveSelected();
        const RunData* run = presenter_->data();
        plots_->setData(run, live && live->total ? live->total : run && run->record ? run->record->total_steps : 0);
        samples_->setSamples(run ? run->samples : std::vector<project::SampleRecord>());
        showAll();
    });
    connect(presenter_, &RunsPresenter::stepsAppended, this, [this](int first) {
        plots_->appendSteps(*presenter_->data(), first);
        if (const LiveRun* live = presenter_->liveSelected()) plots_->setTotal(*presenter_->data(), live->total);
    });
    connect(presenter_, &RunsPresenter::evaluationAppended, this,
            [this] { plots_->appendEvaluations(*presenter_->data()); });
    connect(presenter_, &RunsPresenter::sampleAppended, this,
            [this] { samples_->setSamples(presenter_->data()->samples); });
    connect(presenter_, &RunsPresenter::checkpointsChanged, this,
            [this] { side_->setCheckpoints(*presenter_->data()); });
    connect(presenter_, &RunsPresenter::liveChanged, this, [this] {
        list_->runs().setLive(presenter_->live());
        showProgress();
    });
    connect(list_, &RunList::runChosen, this,
            [this](const std::filesystem::path& folder) { presenter_->select(folder); });
    connect(list_, &RunList::deleteWanted, this, &RunsPage::remove);
    connect(table_, &RunsTable::deleteWanted, this, &RunsPage::remove);
    connect(table_, &RunsTable::runOpened, this, [this](const std::filesystem::path& folder) {
        showTable(false);
        presenter_->select(folder);
        list_->setFocus();
    });
    connect(table_button_, &QPushButton::toggled, this, &RunsPage::showTable);
    connect(banner_, &RunBanner::acted, this, &RunsPage::act);
    connect(chat_, &QPushButton::clicked, this, [this] { chat({}); });
    connect(pause_, &QPushButton::clicked, this, [this] {
        const LiveRun* live = presenter_->liveSelected();
        act(live && live->state == project::RunState::Paused ? RunAct::Resume : RunAct::Pause);
    });
    connect(stop_, &QPushButton::clicked, this, [this] {
        const LiveRun* live = presenter_->liveSelected();
        if (live) act(live->state == project::RunState::Stopping ? RunAct::StopNow : RunAct::StopAfterStep);
    });
    connect(plots_, &RunPlots::exportPngWanted, this, [this](Plot* plot) { savePlot(plot, true); });
    connect(plots_, &RunPlots::exportCsvWanted, this, [this](Plot* plot) { savePlot(plot, false); });
    connect(samples_, &RunSamples::stepChosen, plots_, &RunPlots::showStep);
    connect(side_, &RunSide::checkpointMarked, plots_, &RunPlots::showStep);
    connect(side_, &RunSide::evaluateWanted, this, &RunsPage::evaluate);
    connect(side_, &RunSide::chatWanted, this, &RunsPage::chat);
    connect(side_, &RunSide::folderWanted, this,
            [](const QString& folder) { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
    connect(&session().go(), &Navigator::showRun, this, [this](const QString& folder) {
        showTable(false);
        wanted_ = path(folder);
        if (presenter_->indexOf(wanted_) >= 0)
            presenter_->select(std::exchange(wanted_, {}));
        else
            presenter_->start();
    });
    connect(&session().engine(), &EngineThread::changed, this, &RunsPage::showProgress);
    connect(&session().cards(), &CardWatch::changed, this, [this] {
        if (presenter_->liveSelected()) showProgress();
    });
    session().cards().showIn(side_);
}

void RunsPage::showAll() {
    const bool table = table_button_->isChecked() && !presenter_->runs().empty();
    const bool chosen = !presenter_->selected().empty();
    table_button_->setEnabled(!presenter_->runs().empty());
    left_->setVisible(!presenter_->runs().empty());
    if (!presenter_->readError().isEmpty())
        unreadable_->setSentence(tr("This run cannot be read"), presenter_->readError());
    stack_->setCurrentWidget(table     ? static_cast<QWidget*>(table_)
                             : !chosen ? (presenter_->listed() ? static_cast<QWidget*>(empty_) : unread_)
                             : !presenter_->readError().isEmpty() ? unreadable_
                                                                  : detail_);
    if (table) table_->choose(presenter_->selected());
    arrange();
    showProgress();
    Q_EMIT subjectChanged();
}

void RunsPage::showProgress() {
    const RunData* run = presenter_->data();
    const LiveRun* live = presenter_->liveSelected();
    const auto& held = session().engine().held();
    side_->setMemory(held && held->bytes > 0 ? memory(held->bytes) : QString());
    const auto* card = live && !live->card.empty() ? session().cards().find(live->card) : nullptr;
    side_->setCard(card ? std::optional(card->reading) : std::nullopt);
    side_->setRun(run, live);
    side_->setNotices(live ? presenter_->notices() : QStringList());
    banner_->setNotice(live ? runNotice(run ? *run : RunData{}, live) : run ? runNotice(*run, nullptr) : RunNotice{});
    showHeader();
    Q_EMIT statusChanged();
}

void RunsPage::showHeader() {
    const RunData* run = presenter_->data();
    const LiveRun* live = presenter_->liveSelected();
    const int row = presenter_->indexOf(presenter_->selected());
    name_->setText(live && !live->name.isEmpty() ? shownText(live->name, false, 80)
                   : row >= 0 ? shownText(text(presenter_->runs()[std::size_t(row)].info.name), false, 80)
                              : QString());
    QStringList words;
    if (run && run->record) {
        const config::Recipe& recipe = run->record->recipe;
        words << (recipe.training.filter.empty() ? tr("all conversations")
                                                 : shownText(text(recipe.training.filter), false, 34))
              << tr("paths: %1").arg(text(recipe.training.paths));
        for (const auto& [key, value] : shortSettings(recipe)) {
            if (key == QLatin1String("r") || key == QLatin1String("lr"))
                words << QStringLiteral("%1 %2").arg(key, value);
        }
    }
    while (chip_list_.size() < static_cast<std::size_t>(words.size())) {
        chip_list_.push_back(new Chip);
        chips_->addWidget(chip_list_.back());
    }
    // As many as the width has room for beside the buttons.
    const int room = detail_->width() - characterWidth(font()) * (live ? 82 : 46);
    int used = name_->sizeHint().width();
    for (std::size_t i = 0; i < chip_list_.size(); ++i) {
        const bool known = i < static_cast<std::size_t>(words.size());
        if (known) chip_list_[i]->setText(words[static_cast<qsizetype>(i)]);
        used += chip_list_[i]->sizeHint().width() + 2 * kSpace;
        chip_list_[i]->setVisible(known && used < room);
    }
    using project::RunState;
    const bool stepping = live && (live->state == RunState::Running || live->state == RunState::Paused);
    const bool stopping = live && live->state == RunState::Stopping;
    const bool paused = live && live->state == RunState::Paused;
    pause_->setVisible(stepping);
    const QString pause_words = paused ? tr("Resume") : live && live->pausing ? tr("Pausing…") : tr("Pause");
    if (pause_->text() != pause_words) {
        pause_->setText(pause_words);
        pause_->setIcon(icon(paused ? Glyph::Play : Glyph::Pause));
    }
    pause_->setEnabled(!(live && live->pausing && !paused));
    stop_->setVisible(stepping && !stopping);
    chat_->setVisible(stepping || (run && !run->checkpoints.empty()));
    const bool idle = run && !live && !presenter_->live();
    resume_action_->setEnabled(idle && project::canResume(run->info.state));
    delete_action_->setEnabled(run && !live);
    png_action_->setEnabled(run);
    csv_action_->setEnabled(run);
}

// Below this width the pane beside the plots would leave them too narrow to read.
void RunsPage::arrange() {
    // The list leaves at least two thirds to what it lists.
    if (left_->isVisible() && left_->width() > width() * 34 / 100)
        splitter_->setSizes({width() * 30 / 100, width() * 70 / 100});
    const bool below = width() < characterWidth(font()) * 142;
    if (below == side_below_) return;
    side_below_ = below;
    if (below) {
        side_scroll_->takeWidget();
        column_->addWidget(side_);
        side_->layout()->setContentsMargins(0, 0, 0, 0);
    } else {
        column_->removeWidget(side_);
        side_->layout()->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 3 * kSpace);
        side_scroll_->setWidget(side_);
    }
    side_->show();
    side_scroll_->setVisible(!below);
    side_line_->setVisible(!below);
}

void RunsPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    arrange();
    showHeader();
}

void RunsPage::showTable(bool shown) {
    table_button_->setChecked(shown);
    showAll();
    if (shown) table_->setFocus();
}

}  // namespace studio::ui
