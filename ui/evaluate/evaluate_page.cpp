#include "ui/evaluate/evaluate_page.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>

#include "ui/evaluate/answers_view.h"
#include "ui/evaluate/conversation_table.h"
#include "ui/evaluate/evaluation_form.h"
#include "ui/evaluate/evaluation_list.h"
#include "ui/evaluate/evaluation_words.h"
#include "ui/evaluate/evaluations_presenter.h"
#include "ui/evaluate/panels.h"
#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

EvaluatePage::EvaluatePage(Session& session, QWidget* parent)
    : Page(PageId::Evaluate, session, parent),
      presenter_(new EvaluationsPresenter(session, this)),
      splitter_(new QSplitter(Qt::Horizontal)),
      stack_(new QStackedWidget) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(splitter_);
    splitter_->setHandleWidth(1);
    splitter_->setChildrenCollapsible(false);
    buildList();
    buildResult();
    empty_ = new EmptyState(Glyph::Evaluate, tr("Nothing evaluated yet"),
                            tr("An evaluation measures a run's checkpoint and its base on the conversations that the "
                               "run held out, and how both answer."));
    connect(empty_->addButton(tr("New Evaluation")), &QPushButton::clicked, this, [this] { showForm(); });
    form_ = new EvaluationForm;
    progress_ = new PhaseList;
    unread_ = new QWidget;  // before the first answer
    for (QWidget* widget : std::initializer_list<QWidget*>{unread_, empty_, form_, progress_, result_})
        stack_->addWidget(widget);
    splitter_->addWidget(left_);
    splitter_->addWidget(stack_);
    splitter_->setStretchFactor(1, 1);
    const int wide = characterWidth(font());
    splitter_->setSizes({wide * 37, wide * 140});
    buildActions();
    connectAll();
    showAll();
}

void EvaluatePage::buildList() {
    left_ = new QWidget;
    auto* column = new QVBoxLayout(left_);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* header = new PaneHeader(tr("Evaluations"));
    new_ = new QPushButton(tr("New"));
    new_->setToolTip(tr("New evaluation (Ctrl+N)"));
    setPrimary(new_);
    header->row()->addWidget(new_);
    list_ = new EvaluationList;
    unreadable_ = new Text(Text::Kind::Secondary);
    unreadable_->setWordWrap(true);
    unreadable_->setHue(Hue::Careful);
    unreadable_->setMargin(3 * kSpace);
    unreadable_->hide();
    column->addWidget(header);
    column->addWidget(list_, 1);
    column->addWidget(unreadable_);
    left_->setMinimumWidth(characterWidth(font()) * 22);
}

void EvaluatePage::buildResult() {
    result_ = new QWidget;
    auto* column = new QVBoxLayout(result_);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* header = new QWidget;
    header->setFixedHeight(controlHeight(font()) + 4 * kSpace - 1);
    auto* head = new QHBoxLayout(header);
    head->setContentsMargins(4 * kSpace, kSpace, 3 * kSpace, kSpace);
    head->setSpacing(3 * kSpace);
    name_ = new ElidedText(Text::Kind::Strong);
    about_ = new ElidedText(Text::Kind::Secondary);
    name_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    about_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    export_ = new QPushButton(tr("Export"));
    auto* menu = new QMenu(export_);
    menu->addAction(tr("CSV…"), this, [this] { save(true); });
    menu->addAction(tr("JSON…"), this, [this] { save(false); });
    export_->setMenu(menu);
    chat_ = new QPushButton(tr("Chat With It"));
    head->addWidget(name_);
    head->addWidget(about_, 1);
    head->addWidget(export_);
    head->addWidget(chat_);
    column->addWidget(header);
    column->addWidget(new Hairline(Qt::Horizontal));

    auto* content = new QWidget;
    auto* inner = new QVBoxLayout(content);
    inner->setContentsMargins(4 * kSpace, 3 * kSpace, 4 * kSpace, 3 * kSpace);
    inner->setSpacing(4 * kSpace);
    figures_ = new FigureRow;
    notices_ = new Text(Text::Kind::Secondary);
    notices_->setWordWrap(true);
    notices_->setHue(Hue::Careful);
    inner->addWidget(figures_);
    inner->addWidget(notices_);
    body_ = new QSplitter(Qt::Horizontal);
    body_->setHandleWidth(1);
    body_->setChildrenCollapsible(false);
    auto* table_side = new QWidget;
    auto* table_column = new QVBoxLayout(table_side);
    table_column->setContentsMargins(0, 0, 0, 0);
    table_column->setSpacing(kSpace);
    table_title_ = new Text(Text::Kind::Section);
    table_ = new ConversationTable;
    table_column->addWidget(table_title_);
    table_column->addWidget(table_, 1);
    answers_ = new AnswersView;
    answers_->layout()->setContentsMargins(4 * kSpace, 0, kSpace, 0);
    answers_scroll_ = new QScrollArea;
    answers_scroll_->setWidget(answers_);
    answers_scroll_->setWidgetResizable(true);
    answers_scroll_->setFrameShape(QFrame::NoFrame);
    answers_scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    answers_scroll_->viewport()->setAutoFillBackground(false);
    answers_->setAutoFillBackground(false);
    answers_scroll_->setAccessibleName(tr("Answers to held-out prompts"));
    answers_scroll_->setFocusPolicy(Qt::NoFocus);
    body_->addWidget(table_side);
    body_->addWidget(answers_scroll_);
    body_->setStretchFactor(0, 3);
    body_->setStretchFactor(1, 2);
    inner->addWidget(body_, 1);
    column->addWidget(content, 1);
}

void EvaluatePage::buildActions() {
    addPageAction(tr("New Evaluation…"), QKeySequence(QStringLiteral("Ctrl+N")),
                  tr("Measure a checkpoint or a base on held-out conversations"), [this] { showForm(); });
    cancel_action_ =
        addPageAction(tr("Cancel Evaluation"), {}, tr("Nothing of it is kept"), [this] { presenter_->cancel(); });
    csv_action_ =
        addPageAction(tr("Export Conversations as CSV…"), {}, tr("One line a conversation"), [this] { save(true); });
    json_action_ =
        addPageAction(tr("Export Result as JSON…"), {}, tr("Everything that was measured"), [this] { save(false); });
    chat_action_ =
        addPageAction(tr("Chat With It"), {}, tr("With the checkpoint that was measured"), [this] { chat(); });
}

void EvaluatePage::connectAll() {
    connect(presenter_, &EvaluationsPresenter::listChanged, this, [this] {
        list_->rows().setKept(presenter_->kept());
        for (const auto& one : presenter_->kept()) {
            if (!wanted_.isEmpty() && pathText(one.file.filename()) == wanted_) presenter_->select(one.file);
        }
        wanted_.clear();
        if (presenter_->selected()) list_->choose(presenter_->selected()->file);
        unreadable_->setVisible(!presenter_->unreadable().isEmpty());
        unreadable_->setText(tr("%n file(s) cannot be read.", nullptr, int(presenter_->unreadable().size())));
        unreadable_->setToolTip(toolTipText(presenter_->unreadable().join(u'\n')));
        showAll();
    });
    connect(presenter_, &EvaluationsPresenter::selectionChanged, this, [this] {
        if (presenter_->selected()) list_->choose(presenter_->selected()->file);
        showResult();
        showAll();
    });
    connect(presenter_, &EvaluationsPresenter::offered, this, [this] { form_->setOffer(presenter_->offer()); });
    connect(presenter_, &EvaluationsPresenter::runningChanged, this, &EvaluatePage::showAll);
    connect(presenter_, &EvaluationsPresenter::measured, this, [this] { form_open_ = false; });
    connect(list_, &EvaluationList::chosen, this, [this](const std::filesystem::path& file) {
        form_open_ = watching_ = false;
        presenter_->select(file);
        showAll();
    });
    connect(new_, &QPushButton::clicked, this, [this] {
        if (!presenter_->running()) return showForm();
        watching_ = true;
        showAll();
    });
    connect(form_, &EvaluationForm::asked, this, [this] { presenter_->ask(form_->question()); });
    connect(form_, &EvaluationForm::startWanted, this, &EvaluatePage::begin);
    connect(form_, &EvaluationForm::dismissed, this, &EvaluatePage::escape);
    connect(form_, &EvaluationForm::showRunWanted, this, [this] {
        if (session().runs().live()) Q_EMIT session().go().showRun(session().runs().live()->folder);
    });
    connect(progress_->cancelButton(), &QPushButton::clicked, presenter_, &EvaluationsPresenter::cancel);
    connect(chat_, &QPushButton::clicked, this, &EvaluatePage::chat);
    connect(table_, &ConversationTable::opened, this,
            [this](const QString& message) { Q_EMIT session().go().openConversation(message); });
    connect(&session().runs(), &RunService::entriesChanged, this, [this] {
        if (form_open_) form_->setRuns(session().runs().entries());
    });
    // The run at work may bring a better one while the form is open.
    connect(&session().runs(), &RunService::evaluation, this, [this] {
        if (form_open_) presenter_->ask(form_->question());
    });
    connect(&session().runs(), &RunService::stateChanged, this, [this] {
        const auto& live = session().runs().live();
        const qint64 saved = live ? live->checkpoint_step : -1;
        if (std::exchange(saved_, saved) != saved && form_open_) presenter_->ask(form_->question());
    });
    connect(&session().engine(), &EngineThread::changed, this, &EvaluatePage::tellBusy);
    connect(&session().runs(), &RunService::stateChanged, this, &EvaluatePage::tellBusy);
    connect(&session().go(), &Navigator::evaluate, this,
            [this](const QString& run, const QString& checkpoint) { showForm(path(run), path(checkpoint)); });
    connect(&session(), &Session::projectClosed, this, [this] { form_open_ = false; });
}

void EvaluatePage::tellBusy() {
    if (!form_open_ && !presenter_->running()) return;
    const auto& live = session().runs().live();
    form_->setBusy(live ? shownText(live->name, false, 60) : QString());
    if (presenter_->running() && presenter_->waiting()) showAll();
}

void EvaluatePage::showForm(const std::filesystem::path& run, const std::filesystem::path& checkpoint) {
    if (presenter_->running()) {  // one at a time
        watching_ = true;
        return showAll();
    }
    form_open_ = true;
    const auto& entries = session().runs().entries();
    form_->setRuns(entries);
    std::filesystem::path subject = run;
    if (subject.empty() && presenter_->selected() && presenter_->selected()->run_there)
        subject = presenter_->selected()->record.run;
    if (subject.empty() && !entries.empty()) subject = entries.front().folder;
    if (!subject.empty()) form_->choose(subject, checkpoint);
    tellBusy();
    showAll();
    form_->startButton()->setFocus();
}

void EvaluatePage::begin() {
    form_open_ = false;
    watching_ = true;
    presenter_->run(form_->request(), form_->title());
    showAll();
}

void EvaluatePage::showAll() {
    const bool running = presenter_->running();
    left_->setVisible(!presenter_->kept().empty() || !presenter_->unreadable().isEmpty());
    new_->setText(running ? tr("Progress") : tr("New"));
    cancel_action_->setEnabled(running);
    if (running) {
        const auto& live = session().runs().live();
        progress_->setPhases(presenter_->runningTitle(), presenter_->phases(),
                             live ? shownText(live->name, false, 60) : QString());
    }
    stack_->setCurrentWidget(running && (watching_ || !presenter_->selected()) ? static_cast<QWidget*>(progress_)
                             : form_open_                                      ? form_
                             : presenter_->selected()                          ? result_
                             : presenter_->listed()                            ? static_cast<QWidget*>(empty_)
                                                                               : unread_);
    const bool result = presenter_->selected() != nullptr;
    csv_action_->setEnabled(result);
    json_action_->setEnabled(result);
    arrange();
    Q_EMIT subjectChanged();
    Q_EMIT statusChanged();
}

void EvaluatePage::showResult() {
    const auto* kept = presenter_->selected();
    const jobs::EvaluationRecord* record = kept ? &kept->record : nullptr;
    table_->setRecord(record);
    answers_->setRecord(record);
    answers_scroll_->setVisible(record && record->answers);
    chat_->setEnabled(kept && kept->run_there);
    chat_action_->setEnabled(chat_->isEnabled());
    if (!kept) return;
    name_->setText(evaluationName(*record));
    const QString counts =
        tr("%1, %2 supervised tokens")
            .arg(tr("%n held-out tree(s)", nullptr, static_cast<int>(record->trees)), number(qint64(record->tokens)));
    about_->setText(
        record->base ? tr("against %1, base · %2").arg(shownText(text(record->base_name), false, 60), counts) : counts);
    figures_->setFigures(headline(*record));
    table_title_->setText(record->base ? tr("Conversations, largest fall of the loss first, nats a token")
                                       : tr("Conversations, largest loss first, nats a token"));
    QStringList notices;
    for (const std::string& notice : record->notices) notices << shownText(text(notice), false, 300);
    if (!kept->run_there) notices << tr("The run's folder is gone: the result stays, the adapter cannot be asked.");
    notices_->setText(notices.join(u' '));
    notices_->setVisible(!notices.isEmpty());
}

// Narrow: answers below the table.
void EvaluatePage::arrange() {
    // The list leaves at least two thirds to what it lists.
    if (left_->isVisible() && left_->width() > width() * 34 / 100)
        splitter_->setSizes({width() * 30 / 100, width() * 70 / 100});
    const bool narrow = width() < characterWidth(font()) * 142;
    const auto wanted = narrow ? Qt::Vertical : Qt::Horizontal;
    if (body_->orientation() != wanted) {
        body_->setOrientation(wanted);
        answers_->layout()->setContentsMargins(narrow ? 0 : 4 * kSpace, narrow ? 2 * kSpace : 0, kSpace, 0);
    }
}

void EvaluatePage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    arrange();
}

}  // namespace studio::ui
