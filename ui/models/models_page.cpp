#include "ui/models/models_page.h"

#include <QDesktopServices>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QScrollBar>
#include <QUrl>
#include <QVBoxLayout>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"

namespace studio::ui {

ModelsPage::ModelsPage(Session& session, QWidget* parent) : Page(PageId::Models, session, parent) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(buildMain(), 1);
    row->addWidget(new Hairline(Qt::Vertical));
    phi_ = new GetPhiPane;
    row->addWidget(phi_);
    buildActions();
    enable();
    connect(&session, &Session::projectOpened, this, [this] {
        if (searched_) refresh();
    });
    connect(&session.runs(), &RunService::entriesChanged, this, [this] {
        if (searched_ && isVisible()) refresh();
    });
}

QWidget* ModelsPage::buildMain() {
    auto* pane = new QWidget;
    auto* column = new QVBoxLayout(pane);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* header = new QWidget;
    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(4 * kSpace, kSpace, 4 * kSpace, kSpace);
    row->setSpacing(3 * kSpace);
    header->setMinimumHeight(controlHeight(font()) + 4 * kSpace);
    row->addWidget(new ElidedText(Text::Kind::Strong, tr("Models and adapters")));
    totals_ = new ElidedText(Text::Kind::Secondary);
    row->addWidget(totals_, 1);
    auto* again = new QPushButton(icon(Glyph::Revert), tr("Refresh"));
    again->setAccessibleName(tr("Look through the disk again"));
    again->setToolTip(tr("Look through the disk again (F5)"));
    connect(again, &QPushButton::clicked, this, &ModelsPage::refresh);
    row->addWidget(again);
    auto* open = new QPushButton(icon(Glyph::Folder), tr("Open Folder…"));
    open->setAccessibleName(tr("Open a folder with a model"));
    open->setToolTip(tr("Choose a folder with a model or an adapter (Ctrl+Shift+O)"));
    connect(open, &QPushButton::clicked, this, &ModelsPage::chooseFolder);
    row->addWidget(open);
    column->addWidget(header);
    column->addWidget(new Hairline(Qt::Horizontal));

    scroll_ = new QScrollArea;
    scroll_->setFrameShape(QFrame::NoFrame);
    scroll_->setWidgetResizable(true);
    scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll_->setFocusPolicy(Qt::NoFocus);
    auto* inner = new QWidget;
    auto* list = new QVBoxLayout(inner);
    list->setContentsMargins(4 * kSpace, 4 * kSpace, 4 * kSpace, 4 * kSpace);
    list->setSpacing(2 * kSpace);
    list->addWidget(new Text(Text::Kind::Section, tr("Base models")));
    cards_ = new CardGrid;
    list->addWidget(cards_);
    list->addSpacing(3 * kSpace);

    auto* bar = new QHBoxLayout;
    bar->setSpacing(2 * kSpace);
    auto* title = new Text(Text::Kind::Section, tr("Adapters"));
    bar->addWidget(title, 1, Qt::AlignBottom);
    const auto button = [&](const QString& words, const QString& accessible, auto act) {
        auto* b = new QPushButton(words);
        b->setAccessibleName(accessible);
        connect(b, &QPushButton::clicked, this, act);
        bar->addWidget(b);
        return b;
    };
    chat_ = button(tr("Chat"), tr("Chat with the chosen adapter"), &ModelsPage::chatWithChosen);
    evaluate_ = button(tr("Evaluate"), tr("Evaluate the chosen adapter"), &ModelsPage::evaluateChosen);
    folder_ = button(tr("Show Folder"), tr("Show the folder of the chosen adapter"), [this] {
        if (const auto* adapter = chosen()) showFolder(adapter->folder);
    });
    list->addLayout(bar);
    no_adapters_ = new Text(Text::Kind::Secondary);
    no_adapters_->setWordWrap(true);
    list->addWidget(no_adapters_);

    adapters_ = new AdapterTable(this);
    table_ = new RowTable;
    title->setBuddy(table_);
    table_->setModel(adapters_);
    table_->setItemDelegate(new AdapterDelegate(table_));
    table_->setAccessibleName(tr("Adapters"));
    table_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    list->addWidget(table_);
    list->addStretch(1);
    connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, &ModelsPage::enable);
    connect(table_, &QTableView::activated, this, &ModelsPage::chatWithChosen);
    scroll_->setWidget(inner);
    column->addWidget(scroll_, 1);
    return pane;
}

void ModelsPage::buildActions() {
    addPageAction(tr("&Open Model Folder…"), QKeySequence(QStringLiteral("Ctrl+Shift+O")),
                  tr("Choose a folder with a model or an adapter"), [this] { chooseFolder(); });
    addPageAction(tr("&Refresh"), QKeySequence(Qt::Key_F5), tr("Look through the disk again"), [this] { refresh(); });
    chat_action_ = addPageAction(tr("&Chat With the Adapter"), {}, tr("Chat with the chosen adapter"),
                                 [this] { chatWithChosen(); });
    evaluate_action_ =
        addPageAction(tr("&Evaluate the Adapter"), {}, tr("Evaluate the chosen adapter"), [this] { evaluateChosen(); });
}

void ModelsPage::activated() {
    refresh();
}

void ModelsPage::refresh() {
    jobs::SearchPlaces places;
    places.built_in = jobs::builtInModels();
    places.hub_caches = jobs::hubCaches();
    for (const QString& folder : session().settings().modelFolders()) places.folders.push_back(path(folder));
    if (session().hasProject()) places.runs = session().paths().runs();
    if (task_) task_->cancel();
    if (!searched_) totals_->setText(tr("Looking through the disk…"));
    task_ = session().surveys().run<jobs::ModelCatalogue>(
        this, [places](const JobContext& job) { return jobs::searchModels(places, job); },
        [this](Result<jobs::ModelCatalogue> result) {
            if (result) take(std::move(*result));
        });
    Q_EMIT statusChanged();
}

void ModelsPage::take(jobs::ModelCatalogue catalogue) {
    const jobs::AdapterModel* was = chosen();
    const QString keep = was ? pathText(was->folder) : wanted_adapter_;
    catalogue_ = std::move(catalogue);
    searched_ = true;
    totals_->setText(tr("%1 on this disk, %2 free").arg(bytes(catalogue_.bytes), bytes(catalogue_.free_bytes)));
    const QStringList remembered = session().settings().modelFolders();
    std::vector<QWidget*> cards;
    bool phi = false;
    for (const jobs::BaseModel& base : catalogue_.bases) {
        phi |= base.usable && base.name.ends_with("phi-2");
        const QString folder = pathText(base.folder);
        auto* card = new ModelCard(base, remembered.contains(folder));
        connect(card, &ModelCard::chat, this, [this, folder] {
            Q_EMIT session().go().showPage(PageId::Chat);
            Q_EMIT session().go().chatWithBase(folder);
        });
        connect(card, &ModelCard::useInRecipe, this, [this, folder] {
            Q_EMIT session().go().showPage(PageId::Recipe);
            Q_EMIT session().go().useBase(folder);
        });
        connect(card, &ModelCard::showFolder, this, [this, f = base.folder] { showFolder(f); });
        connect(card, &ModelCard::forget, this, [this, folder] {
            QStringList folders = session().settings().modelFolders();
            folders.removeAll(folder);
            session().settings().setModelFolders(folders);
            refresh();
        });
        cards.push_back(card);
    }
    cards_->setCards(cards);
    phi_->setFacts(phi, pathText(catalogue_.download_place), catalogue_.free_bytes);
    adapters_->setAdapters(catalogue_.adapters);
    const bool none = catalogue_.adapters.empty();
    no_adapters_->setText(session().hasProject()
                              ? tr("None yet. A run writes one with each of its checkpoints; “Open Folder…” takes in "
                                   "PEFT folders that were made elsewhere.")
                              : tr("None here. Open a project to see those of its runs."));
    no_adapters_->setVisible(none);
    for (QWidget* widget : {static_cast<QWidget*>(table_), static_cast<QWidget*>(chat_),
                            static_cast<QWidget*>(evaluate_), static_cast<QWidget*>(folder_)})
        widget->setVisible(!none);
    fitTable();
    if (const int row = adapters_->rowOf(path(keep)); row >= 0) table_->selectRow(row);
    enable();
    Q_EMIT statusChanged();
}

void ModelsPage::fitTable() {
    table_->resizeColumnsToContents();
    const int unit = characterWidth(font());
    for (int c = 0; c + 1 < AdapterTable::kColumns; ++c)
        table_->setColumnWidth(c, std::clamp(table_->columnWidth(c), 9 * unit, 34 * unit));
    table_->setFixedHeight(table_->horizontalHeader()->sizeHint().height() +
                           adapters_->rowCount() * table_->verticalHeader()->defaultSectionSize() + 2 +
                           table_->horizontalScrollBar()->sizeHint().height());
}

const jobs::AdapterModel* ModelsPage::chosen() const {
    return adapters_->at(table_->currentIndex().row());
}

void ModelsPage::enable() {
    const jobs::AdapterModel* adapter = chosen();
    const bool usable = adapter && adapter->sound && !adapter->base.empty();
    chat_->setEnabled(usable);
    evaluate_->setEnabled(usable && !adapter->run.empty());
    folder_->setEnabled(adapter != nullptr);
    if (!evaluate_action_) return;  // not built yet
    chat_action_->setEnabled(chat_->isEnabled());
    evaluate_action_->setEnabled(evaluate_->isEnabled());
}

void ModelsPage::chatWithChosen() {
    const jobs::AdapterModel* adapter = chosen();
    if (!adapter || !chat_->isEnabled()) return;
    const QString run = pathText(adapter->run), folder = pathText(adapter->folder), base = pathText(adapter->base);
    const QString checkpoint = pathText(adapter->folder.filename());
    Q_EMIT session().go().showPage(PageId::Chat);
    if (run.isEmpty())
        Q_EMIT session().go().chatWithAdapter(base, folder);
    else
        Q_EMIT session().go().chatWith(run, checkpoint);
}

void ModelsPage::evaluateChosen() {
    const jobs::AdapterModel* adapter = chosen();
    if (!adapter || !evaluate_->isEnabled()) return;
    const QString run = pathText(adapter->run), checkpoint = pathText(adapter->folder.filename());
    Q_EMIT session().go().showPage(PageId::Evaluate);
    Q_EMIT session().go().evaluate(run, checkpoint);
}

void ModelsPage::showFolder(const std::filesystem::path& folder) {
    if (!QDesktopServices::openUrl(QUrl::fromLocalFile(pathText(folder))))
        session().messages().info(QStringLiteral("show-folder"), tr("The folder is %1.").arg(pathText(folder)),
                                  tr("No file manager is set up that could show it."));
}

void ModelsPage::chooseFolder() {
    auto* dialog = new QFileDialog(this, tr("Open a Folder With a Model or an Adapter"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, &ModelsPage::addFolder);
    dialog->open();
}

void ModelsPage::addFolder(const QString& folder) {
    session().files().run<jobs::FolderVerdict>(
        this, [f = path(folder)](const JobContext&) -> Result<jobs::FolderVerdict> { return jobs::judgeFolder(f); },
        [this, folder](Result<jobs::FolderVerdict> verdict) {
            if (!verdict) return;
            Message message;
            message.id = QStringLiteral("model-folder");
            message.kind = verdict->useful ? (verdict->to_do.empty() ? Message::Kind::Good : Message::Kind::Careful)
                                           : Message::Kind::Bad;
            message.what = text(verdict->sentence);
            message.to_do = text(verdict->to_do);
            session().messages().show(std::move(message));
            if (!verdict->useful) return;
            QStringList folders = session().settings().modelFolders();
            if (!folders.contains(folder)) session().settings().setModelFolders(folders << folder);
            refresh();
        });
}

QString ModelsPage::status() const {
    return searching() && !searched_ ? tr("Looking through the disk…") : tr("Cache shared with Hugging Face tools");
}

QString ModelsPage::statusRight() const {
    if (!searched_) return {};
    const QString bases = tr("%n base model(s)", nullptr, static_cast<int>(catalogue_.bases.size()));
    return tr("%1, %n adapter(s)", nullptr, static_cast<int>(catalogue_.adapters.size())).arg(bases);
}

QString ModelsPage::help() const {
    return tr(
        "Which base models and adapters lie on this computer: the built-in toy, folders you opened, the Hugging "
        "Face cache and the runs of this project. Each is checked without loading its weights; what cannot be "
        "used says why and what to do. Open Folder… (Ctrl+Shift+O) adds a folder, F5 looks again. Return on an "
        "adapter chats with it. On the right stands how to get phi-2.");
}

QJsonObject ModelsPage::saveState() const {
    QJsonObject state;
    const jobs::AdapterModel* adapter = chosen();
    const QString folder = adapter ? pathText(adapter->folder) : wanted_adapter_;
    if (!folder.isEmpty()) state[QStringLiteral("adapter")] = folder;
    state[QStringLiteral("scroll")] = scroll_->verticalScrollBar()->value();
    return state;
}

void ModelsPage::restoreState(const QJsonObject& state) {
    wanted_adapter_ = state[QStringLiteral("adapter")].toString();
    if (searched_)
        if (const int row = adapters_->rowOf(path(wanted_adapter_)); row >= 0) table_->selectRow(row);
}

void ModelsPage::changeEvent(QEvent* event) {
    Page::changeEvent(event);
    if (event->type() == QEvent::FontChange && searched_)
        QMetaObject::invokeMethod(this, &ModelsPage::fitTable, Qt::QueuedConnection);
}

void ModelsPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    const int unit = characterWidth(font());
    phi_->setFixedWidth(std::max(phi_->leastWidth(), std::clamp(width() / 4, 30 * unit, 46 * unit)));
}

}  // namespace studio::ui
