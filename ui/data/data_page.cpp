#include "ui/data/data_page.h"

#include <QApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QListView>
#include <QProgressBar>
#include <QResizeEvent>
#include <QScrollBar>
#include <QSplitter>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {

DataPage::DataPage(Session& session, QWidget* parent)
    : Page(PageId::Data, session, parent),
      library_(session),
      import_(session),
      strip_(new QWidget),
      strip_text_(new Text(Text::Kind::Body)),
      strip_bar_(new QProgressBar),
      body_(new QStackedWidget),
      splitter_(new QSplitter(Qt::Horizontal)),
      facets_box_(nullptr),
      facets_(new FacetPanel),
      list_(new ListPane(library_)),
      reader_(new ReaderPane(session, library_)),
      empty_(new EmptyState(Glyph::Data, tr("No conversations yet"),
                            tr("Import OASST messages or trees (.jsonl, .jsonl.gz) or plain chats as JSON Lines, or "
                               "drop files on the window."))),
      broken_(new EmptyState(Glyph::Careful, tr("The conversations could not be read"))),
      report_(new ImportReportView) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    buildStrip();
    column->addWidget(strip_);
    buildBrowse();
    connect(empty_->addButton(tr("Import conversations…")), &QPushButton::clicked, this, &DataPage::chooseFiles);
    connect(empty_->addButton(tr("Use the bundled sample")), &QPushButton::clicked, this, &DataPage::importSample);
    body_->addWidget(splitter_);
    body_->addWidget(empty_);
    connect(broken_->addButton(tr("Try again")), &QPushButton::clicked, this, &DataPage::reload);
    body_->addWidget(broken_);
    body_->addWidget(report_);
    auto* blank = new QWidget;  // before the first answer
    body_->addWidget(blank);
    body_->setCurrentWidget(blank);
    column->addWidget(body_, 1);
    buildActions();
    wire();
}

void DataPage::buildBrowse() {
    facets_box_ = new FacetScroll(facets_);
    const int character = characterWidth(font());
    reader_->setMinimumWidth(40 * character);
    for (QWidget* part : {facets_box_, static_cast<QWidget*>(list_), static_cast<QWidget*>(reader_)})
        splitter_->addWidget(part);
    splitter_->setHandleWidth(1);
    connect(splitter_, &QSplitter::splitterMoved, this, [this] { moved_ = true; });
    splitter_->setChildrenCollapsible(false);
    splitter_->setStretchFactor(0, 0);
    splitter_->setStretchFactor(1, 0);
    splitter_->setStretchFactor(2, 1);
}

void DataPage::buildStrip() {
    auto* row = new QHBoxLayout(strip_);
    row->setContentsMargins(3 * kSpace, 2 * kSpace, 3 * kSpace, 2 * kSpace);
    row->setSpacing(3 * kSpace);
    strip_bar_->setTextVisible(false);
    strip_bar_->setFixedHeight(2 * kSpace);
    strip_bar_->setAccessibleName(tr("Progress"));
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setAccessibleName(tr("Cancel"));
    cancel->setToolTip(tr("Stops; of a file that is being imported nothing stays"));
    connect(cancel, &QPushButton::clicked, this, [this] {
        if (import_.running()) return import_.cancel();
        library_.giveUp();
        showStrip();
    });
    patience_.setSingleShot(true);
    patience_.setInterval(400);
    connect(&patience_, &QTimer::timeout, this, &DataPage::showStrip);
    connect(&library_, &Library::progress, this, [this](const Progress& value) {
        looking_ = value;
        showStrip();
    });
    row->addWidget(strip_text_);
    row->addWidget(strip_bar_, 1);
    row->addWidget(cancel);
    strip_->hide();
}

void DataPage::buildActions() {
    addPageAction(tr("&Train on These Conversations"), Qt::CTRL | Qt::Key_T, tr("Writes this filter into the recipe"),
                  [this] { train(); });
    proof_action_ =
        addPageAction(tr("&Proof Sheet"), Qt::CTRL | Qt::Key_P, tr("The conversation as the trainer has it"), [] {});
    proof_action_->setCheckable(true);
    connect(proof_action_, &QAction::toggled, this, [this](bool on) { reader_->setProof(on); });
    addPageAction(tr("&Next Conversation"), Qt::CTRL | Qt::Key_PageDown, tr("Shows the next conversation of the list"),
                  [this] { stepConversation(1); });
    addPageAction(tr("Pre&vious Conversation"), Qt::CTRL | Qt::Key_PageUp,
                  tr("Shows the previous conversation of the list"), [this] { stepConversation(-1); });
    addPageAction(tr("Copy Branch as &Markdown"), Qt::CTRL | Qt::SHIFT | Qt::Key_C, tr("Copies the shown messages"),
                  [this] { reader_->copyMarkdown(); });
    addPageAction(tr("&Languages, Quality, Turns"), Qt::CTRL | Qt::SHIFT | Qt::Key_F,
                  tr("Shows or hides what to choose from"), [this] {
                      if (narrow_)
                          list_->facetsButton()->toggle();
                      else
                          facets_box_->setVisible(facets_wanted_ = facets_box_->isHidden());
                  });
    auto* closer = addPageAction(tr("Zoom &In"), QKeySequence(QKeySequence::ZoomIn), tr("Larger text in the reader"),
                                 [this] { reader_->view()->zoom(1); });
    closer->setShortcuts({QKeySequence(Qt::CTRL | Qt::Key_Plus), QKeySequence(Qt::CTRL | Qt::Key_Equal)});
    addPageAction(tr("Zoom &Out"), Qt::CTRL | Qt::Key_Minus, tr("Smaller text in the reader"),
                  [this] { reader_->view()->zoom(-1); });
    addPageAction(tr("Original Si&ze"), Qt::CTRL | Qt::Key_0, tr("Text of the reader in its own size"),
                  [this] { reader_->view()->zoom(0); });
    report_action_ = addPageAction(tr("Last Import &Report"), {}, tr("What the last import kept and rejected"), [this] {
        report_shown_ = true;
        showBody();
    });
    report_action_->setEnabled(false);
}

void DataPage::wire() {
    connect(&library_, &Library::listed, this, &DataPage::onListed);
    connect(&library_, &Library::failed, this, &DataPage::onFailed);
    connect(reader_, &ReaderPane::failed, this, &DataPage::onFailed);
    connect(reader_, &ReaderPane::proofToggled, proof_action_, &QAction::setChecked);
    connect(list_, &ListPane::settled, this, &DataPage::ask);
    connect(list_, &ListPane::changed, this, &DataPage::ask);
    connect(list_, &ListPane::trainWanted, this, &DataPage::train);
    connect(list_, &ListPane::filterWanted, this, &DataPage::setFilter);
    connect(list_->list(), &QListView::activated, this, [this] { reader_->view()->setFocus(Qt::OtherFocusReason); });
    connect(list_, &ListPane::treeChosen, this, [this](std::int32_t tree) {
        if (tree >= 0 && tree != reader_->tree()) reader_->open(tree);
    });
    connect(list_->filterBox(), &FilterBox::edited, facets_, [this] { facets_->setFilter(filter()); });
    connect(list_->facetsButton(), &QAbstractButton::toggled, this, [this](bool on) {
        if (narrow_) facets_box_->setVisible(on);
    });
    connect(facets_, &FacetPanel::filterWanted, this, &DataPage::setFilter);
    connect(facets_, &FacetPanel::importWanted, this, &DataPage::chooseFiles);
    connect(&import_, &ImportTask::changed, this, &DataPage::showStrip);
    connect(&import_, &ImportTask::finished, this, &DataPage::showReport);
    connect(&import_, &ImportTask::stored, this, [this] { this->session().tellCorpusChanged(); });
    connect(report_, &ImportReportView::closed, this, [this] {
        report_shown_ = false;
        showBody();
        list_->list()->setFocus();
    });
    connect(report_, &ImportReportView::keepReadable, this,
            [this](const QString& file) { import_.start({file}, true); });
    connect(&session().go(), &Navigator::showInData, this, &DataPage::setFilter);
    connect(&session().go(), &Navigator::openConversation, this,
            [this](const QString& message_id) { openMessage(message_id); });
    const auto again = [this] {
        if (loaded_) reload();
    };
    connect(&session(), &Session::corpusChanged, this, again);
    connect(&session(), &Session::projectOpened, this, [this, again] {
        import_.clear();
        report_action_->setEnabled(false);
        report_shown_ = false;
        reader_->open(-1);
        again();
    });
    connect(&session(), &Session::projectClosed, this, [this] {
        import_.cancel();
        library_.reload();
        reader_->open(-1);
    });
}

void DataPage::chooseFiles() {
    const QString start = session().settings().layout(QStringLiteral("import-folder")).isEmpty()
                              ? QStandardPaths::writableLocation(QStandardPaths::DownloadLocation)
                              : QString::fromUtf8(session().settings().layout(QStringLiteral("import-folder")));
    auto* dialog = new QFileDialog(this, tr("Import Conversations"), start);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    dialog->setNameFilters(
        {tr("Conversations (*.jsonl *.jsonl.gz *.json *.ndjson *.gz *.parquet)"), tr("All files (*)")});
    connect(dialog, &QFileDialog::filesSelected, this, [this](const QStringList& files) {
        session().settings().setLayout(QStringLiteral("import-folder"), QFileInfo(files.value(0)).path().toUtf8());
        importFiles(files);
    });
    dialog->open();
}

void DataPage::importSample() {
    importFiles({pathText(Session::sampleFile())});
}

void DataPage::importFiles(const QStringList& files) {
    if (!session().hasProject()) {
        session().messages().fail(QStringLiteral("import"), {ErrorCode::NotFound, utf8(tr("No project is open.")),
                                                             utf8(tr("Open or make one, then import again."))});
        return;
    }
    import_.start(files);
}

// The import, else a question that takes its time.
void DataPage::showStrip() {
    const bool importing = import_.running();
    const bool looking = !importing && library_.busy() && !patience_.isActive();
    strip_->setVisible(importing || looking);
    empty_->setEnabled(!importing);
    if (!importing && !looking) return;
    const Progress& progress = importing ? import_.progress() : looking_;
    const QString name = visibleLine(QFileInfo(import_.file()).fileName());
    QString words = importing ? tr("Importing %1").arg(name) : tr("Looking through the messages…");
    if (!importing && progress.total > 0)
        words = tr("%1: %2 of %3")
                    .arg(text(progress.phase), number(static_cast<qint64>(progress.done)),
                         number(static_cast<qint64>(progress.total)));
    else if (progress.total > 0 && progress.unit == "bytes")
        words = tr("Importing %1 · %2 of %3").arg(name, bytes(progress.done), bytes(progress.total));
    else if (!progress.phase.empty())
        words = tr("Importing %1 · %2").arg(name, text(progress.phase));
    if (importing && import_.waiting() > 0) words = tr("%1 · %n more", nullptr, import_.waiting()).arg(words);
    strip_text_->setText(words);
    strip_bar_->setRange(0, progress.total > 0 ? 1000 : 0);
    if (progress.total > 0)
        strip_bar_->setValue(
            static_cast<int>(1000.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total)));
}

void DataPage::showReport() {
    showStrip();
    report_->show(import_.outcomes());
    report_action_->setEnabled(true);
    report_shown_ = true;
    showBody();
}

void DataPage::setFilter(const QString& filter) {
    list_->filterBox()->setFilter(filter);
}

void DataPage::activated() {
    fitWidth();
    if (!focusWidget() || !isAncestorOf(QApplication::focusWidget())) list_->list()->setFocus(Qt::OtherFocusReason);
    if (!loaded_) {
        loaded_ = true;
        reload();
    }
}

void DataPage::reload() {
    if (wanted_.isEmpty()) {  // what is read now is read again
        wanted_ = reader_->reading().currentId();
        wanted_branch_ = reader_->reading().endId();
        wanted_asked_for_ = false;
    }
    library_.reload();
    ask();
}

void DataPage::ask() {
    if (!loaded_) return;
    const auto parsed = corpus::Filter::parse(utf8(filter()));
    if (!parsed) return;  // the box says what is wrong; the list stays as it was
    facets_->setFilter(filter());
    looking_ = {};
    patience_.start();
    library_.ask(filter(), list_->scope(), list_->sort());
}

void DataPage::onFailed(const Error& error) {
    patience_.stop();
    showStrip();
    session().messages().fail(QStringLiteral("data-store"), error, tr("Try again"), [this] { reload(); });
    if (!library_.listing()) {
        broken_->setSentence(text(error.message), text(error.hint));
        if (!report_shown_) body_->setCurrentWidget(broken_);
    }
    Q_EMIT settled();
}

void DataPage::onListed() {
    patience_.stop();
    showStrip();
    const auto listing = library_.listing();
    session().messages().dismiss(QStringLiteral("data-store"));
    list_->show(listing);
    facets_->show(listing);
    if (listing) {
        QStringList codes;
        for (const auto& language : listing->facets.languages) codes << language.code;
        list_->filterBox()->setLanguages(codes);
        if (!wanted_.isEmpty())
            openMessage(std::exchange(wanted_, {}), std::exchange(wanted_branch_, {}),
                        std::exchange(wanted_asked_for_, false));
        else
            readSelected();
        reader_->showVerdicts();
        if (wanted_scroll_ >= 0) list_->list()->verticalScrollBar()->setValue(std::exchange(wanted_scroll_, -1));
    }
    showBody();
    Q_EMIT statusChanged();
    Q_EMIT settled();
}

// The selected conversation; the first one where none is.
void DataPage::readSelected() {
    if (list_->selected() < 0 && list_->model()->rowCount() > 0)
        list_->list()->setCurrentIndex(list_->model()->index(0));  // which opens it
    else if (list_->selected() < 0 || reader_->tree() != list_->selected())
        reader_->open(list_->selected());
}

void DataPage::showBody() {
    const auto listing = library_.listing();
    const bool any = listing && !listing->catalogue->trees().empty();
    report_->setCloseText(any ? tr("Show the conversations") : tr("Close"));
    QWidget* shown = report_shown_ ? static_cast<QWidget*>(report_) : any ? static_cast<QWidget*>(splitter_) : empty_;
    if (!listing && !report_shown_ && session().hasProject()) return;  // the first answer is on its way
    body_->setCurrentWidget(shown);
}

void DataPage::openMessage(const QString& message_id, const QString& branch, bool asked_for) {
    if (!loaded_ || !library_.listing()) {
        wanted_ = message_id;
        wanted_branch_ = branch;
        wanted_asked_for_ = asked_for;
        return;
    }
    library_.find(this, message_id, [this, message_id, branch, asked_for](Result<std::optional<std::int32_t>> found) {
        if (!found) return onFailed(found.error());
        if (!*found) {
            readSelected();
            if (asked_for)
                session().messages().info(QStringLiteral("data-find"),
                                          tr("The message %1 is not in this project.").arg(message_id));
            return;
        }
        if (asked_for) report_shown_ = false;
        showBody();
        const int row = list_->model()->rowOfTree(**found);
        if (row < 0 && !asked_for) return readSelected();
        reader_->open(**found, message_id, branch);
        if (row >= 0) return list_->select(**found);
        wanted_ = message_id;  // not among those listed: all of them are
        wanted_branch_ = branch;
        wanted_asked_for_ = true;
        list_->setScope(Scope::All);
    });
}

void DataPage::train() {
    const auto listing = library_.listing();
    if (!listing || listing->filter != filter() || listing->countOf(Scope::Trainable) == 0) return;
    list_->filterBox()->remember();
    const QString filter_now = filter();
    Q_EMIT session().go().trainOn(filter_now);
    Q_EMIT session().go().showPage(PageId::Recipe);
}

void DataPage::stepConversation(int step) {
    const int row = list_->list()->currentIndex().row() + step;
    if (row < 0 || row >= list_->model()->rowCount()) return;
    list_->list()->setCurrentIndex(list_->model()->index(row));
}

void DataPage::focusSearch() {
    if (report_shown_) {
        report_shown_ = false;
        showBody();
    }
    list_->filterBox()->setFocus(Qt::ShortcutFocusReason);
    list_->filterBox()->selectAll();
}

bool DataPage::escape() {
    if (list_->filterBox()->completing()) return list_->filterBox()->escape();
    if (report_shown_) {
        report_shown_ = false;
        showBody();
        return true;
    }
    if (narrow_ && list_->facetsButton()->isChecked()) {
        list_->facetsButton()->setChecked(false);
        return true;
    }
    if (reader_->proofShown()) {
        reader_->setProof(false);
        return true;
    }
    return list_->filterBox()->hasFocus() && list_->filterBox()->escape();
}

void DataPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    fitWidth();
}

// The sizes at which panes fold are those of the window, at 96 dpi and a 10 pt font.
void DataPage::fitWidth() {
    const double scale = characterWidth(font()) / 7.0;
    const double wide = window()->width() / std::max(0.8, scale);
    if (const bool narrow = wide < 1366; narrow != narrow_) {
        narrow_ = narrow;
        placed_ = moved_;  // other panes, other widths
    }
    list_->facetsButton()->setVisible(narrow_);
    if (narrow_)
        facets_box_->setVisible(list_->facetsButton()->isChecked());
    else
        facets_box_->setVisible(facets_wanted_);
    reader_->setNarrow(wide < 1200);
    if (!placed_ && width() > 200) {
        placed_ = true;
        const int character = characterWidth(font());
        const int facets = narrow_ ? 0 : 30 * character;
        const int list = std::min((narrow_ ? 46 : 50) * character, (width() - facets) * 42 / 100);
        splitter_->setSizes({30 * character, list, std::max(100, width() - facets - list)});
    }
}

}  // namespace studio::ui
