#include "ui/recipe/recipe_page.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include "corpus/filter.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/recipe/consequences_view.h"
#include "ui/recipe/recipe_form.h"
#include "ui/recipe/text_view.h"

namespace studio::ui {
namespace {

// The wheel never changes the preset.
class StillComboBox final : public QComboBox {
  public:
    using QComboBox::QComboBox;

  protected:
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }
};

}  // namespace

RecipePage::RecipePage(Session& session, QWidget* parent)
    : Page(PageId::Recipe, session, parent), consequences_(session) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    pages_ = new QStackedWidget(this);
    layout->addWidget(pages_);
    pages_->addWidget(
        new EmptyState(Glyph::Recipe, tr("No project is open."),
                       tr("The recipe belongs to a project. Open one, or make a new one, in the File menu."), pages_));
    splitter_ = new QSplitter(Qt::Horizontal, pages_);
    splitter_->setHandleWidth(1);
    splitter_->setChildrenCollapsible(false);
    pages_->addWidget(splitter_);
    splitter_->addWidget(buildLeft());
    view_ = new ConsequencesView(consequences_, splitter_);
    splitter_->addWidget(view_);
    splitter_->setStretchFactor(0, 0);
    splitter_->setStretchFactor(1, 1);
    connect(splitter_, &QSplitter::splitterMoved, this, [this] { placed_ = true; });
    buildActions();

    RecipeDocument& document = session.recipe();
    connect(&document, &RecipeDocument::changed, this, &RecipePage::documentChanged);
    connect(&document, &RecipeDocument::saved, this, [this] {
        saved_ = true;
        Q_EMIT statusChanged();
    });
    connect(document.undoStack(), &QUndoStack::indexChanged, this, &RecipePage::refreshHeader);
    connect(&session, &Session::projectOpened, this, [this] {
        form_->rebuild(pathText(std::filesystem::absolute(this->session().paths().folder).lexically_normal()));
        refreshPresets();
        documentChanged();
        pages_->setCurrentIndex(1);
    });
    connect(&session, &Session::projectClosed, this, [this] { pages_->setCurrentIndex(0); });
    connect(&session.runs(), &RunService::stateChanged, this, &RecipePage::refreshHeader);
    connect(&session.runs(), &RunService::entriesChanged, this, &RecipePage::refreshName);
    connect(&session.engine(), &EngineThread::changed, this, &RecipePage::refreshHeader);
    connect(&session.cards(), &CardWatch::changed, this, &RecipePage::offerCards);
    connect(&consequences_, &Consequences::changed, this, [this] {
        view_->refresh();
        refreshFilterNote();
        refreshHeader();
    });
    connect(form_, &RecipeForm::stateChanged, this, &RecipePage::refreshHeader);
    connect(form_, &RecipeForm::showDataWanted, this, [this] {
        Q_EMIT this->session().go().showInData(text(this->session().recipe().recipe().training.filter));
        Q_EMIT this->session().go().showPage(PageId::Data);
    });
    connect(form_, &RecipeForm::chooseModelWanted, this,
            [this] { Q_EMIT this->session().go().showPage(PageId::Models); });
    connect(view_, &ConsequencesView::startWanted, this, &RecipePage::start);
    connect(view_, &ConsequencesView::fieldWanted, this, [this](const QString& key) {
        showForm(true);
        form_->goTo(utf8(key));
    });
    connect(view_, &ConsequencesView::pageWanted, this,
            [this](PageId page) { Q_EMIT this->session().go().showPage(page); });
    connect(view_, &ConsequencesView::cureWanted, this, [this](const std::string& key, const std::string& value) {
        (void)this->session().recipe().set(key, value);
    });

    Navigator& go = session.go();
    connect(&go, &Navigator::trainOn, this, &RecipePage::trainOn);
    connect(&go, &Navigator::showField, this, [this](const QString& key) {
        showForm(true);
        form_->goTo(utf8(key));
    });
    connect(&go, &Navigator::newRunFrom, this, &RecipePage::takeRecipeOf);
    connect(&go, &Navigator::useBase, this, &RecipePage::useBase);

    form_->rebuild(session.hasProject() ? pathText(std::filesystem::absolute(session.paths().folder).lexically_normal())
                                        : QString());
    refreshPresets();
    documentChanged();
    pages_->setCurrentIndex(session.hasProject() ? 1 : 0);
}

RecipePage::~RecipePage() = default;

QWidget* RecipePage::buildLeft() {
    auto* pane = new QWidget;
    auto* layout = new QVBoxLayout(pane);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    auto* bar = new PaneHeader({}, pane);
    auto* caption = new Text(Text::Kind::Strong, tr("Preset"), bar);
    presets_ = new StillComboBox(bar);
    presets_->setAccessibleName(tr("Preset"));
    presets_->setToolTip(tr("Ready recipes. They are never changed: what you change is marked beside each field."));
    presets_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    changes_ = new QToolButton(pane);
    changes_->setCheckable(true);
    changes_->setToolTip(tr("Show only the fields that differ from the preset"));
    form_button_ = new QToolButton(bar);
    form_button_->setText(tr("Form"));
    text_button_ = new QToolButton(bar);
    text_button_->setText(tr("Text"));
    text_button_->setToolTip(tr("The recipe as its two files"));
    menu_ = new QToolButton(bar);
    menu_->setText(QStringLiteral("⋯"));
    menu_->setAccessibleName(tr("More actions"));
    menu_->setToolTip(tr("Load, paste, save as a preset"));
    menu_->setPopupMode(QToolButton::InstantPopup);
    for (QToolButton* button : {form_button_, text_button_}) button->setCheckable(true);
    for (QToolButton* button : {changes_, form_button_, text_button_, menu_}) button->setFocusPolicy(Qt::TabFocus);
    form_button_->setChecked(true);
    caption->setBuddy(presets_);
    bar->row()->setContentsMargins(4 * kSpace, kSpace, 3 * kSpace, kSpace);
    bar->row()->setStretch(0, 0);
    bar->row()->itemAt(0)->widget()->hide();
    bar->row()->addWidget(caption);
    bar->row()->addWidget(presets_);
    bar->row()->addStretch();
    bar->row()->addWidget(form_button_);
    bar->row()->addWidget(text_button_);
    bar->row()->addWidget(menu_);
    layout->addWidget(bar);

    auto* search = new QWidget(pane);
    auto* line = new QHBoxLayout(search);
    line->setContentsMargins(4 * kSpace, 2 * kSpace, 4 * kSpace, 0);
    find_ = new QLineEdit(search);
    find_->setObjectName(QStringLiteral("find"));
    find_->setPlaceholderText(tr("Find a field by its words or key"));
    find_->setAccessibleName(tr("Find a field"));
    find_->setClearButtonEnabled(true);
    find_->addAction(icon(Glyph::Search), QLineEdit::LeadingPosition);
    line->setSpacing(2 * kSpace);
    line->addWidget(find_, 1);
    line->addWidget(changes_);
    layout->addWidget(search);

    views_ = new QStackedWidget(pane);
    form_ = new RecipeForm(session().recipe(), views_);
    text_ = new TextView(session().recipe(), views_);
    views_->addWidget(form_);
    views_->addWidget(text_);
    layout->addWidget(views_, 1);

    connect(presets_, &QComboBox::textActivated, this, [this](const QString& name) {
        form_->commitAll();
        if (const auto used = session().recipe().usePreset(name); !used)
            session().messages().fail(QStringLiteral("preset"), used.error());
    });
    connect(changes_, &QToolButton::toggled, this, [this](bool on) {
        showForm(true);
        form_->showOnly(find_->text(), on);
    });
    connect(form_button_, &QToolButton::clicked, this, [this] { showForm(true); });
    connect(text_button_, &QToolButton::clicked, this, [this] { showForm(false); });
    connect(find_, &QLineEdit::textChanged, this, [this](const QString& words) {
        if (!words.isEmpty()) showForm(true);
        form_->showOnly(words, changes_->isChecked());
    });
    connect(find_, &QLineEdit::returnPressed, this, [this] {
        for (const FieldRow* row : form_->rows())
            if (row->isVisibleTo(form_)) return form_->goTo(row->field().key);
    });
    return pane;
}

void RecipePage::buildActions() {
    start_ = addPageAction(tr("&Start Run"), QKeySequence(QStringLiteral("Ctrl+R")),
                           tr("Start a run with a copy of this recipe"), [this] { start(); });
    dry_run_ =
        addPageAction(tr("&Dry Run"), QKeySequence(QStringLiteral("Ctrl+Shift+R")),
                      tr("Real steps on the longest batch; nothing is written"), [this] { consequences_.measure(); });
    undo_ = addPageAction(tr("&Undo"), QKeySequence::Undo, tr("Take the last change of the recipe back"),
                          [this] { undo(); });
    redo_ = addPageAction(tr("&Redo"), QKeySequence::Redo, tr("Make it again"),
                          [this] { session().recipe().undoStack()->redo(); });
    QAction* load =
        addPageAction(tr("&Load Recipe…"), QKeySequence(QStringLiteral("Ctrl+Shift+O")),
                      tr("Take over a training_config.yaml, a qlora_config.json or both"), [this] { loadFiles(); });
    QAction* pasted = addPageAction(tr("&Paste Recipe"), QKeySequence(QStringLiteral("Ctrl+Shift+V")),
                                    tr("Take over the text of such a file from the clipboard"), [this] { paste(); });
    QAction* save = addPageAction(tr("Save &as Preset…"), QKeySequence(QStringLiteral("Ctrl+Shift+S")),
                                  tr("Keep this recipe among your own presets"), [this] { saveAsPreset(); });
    QAction* revert =
        addPageAction(tr("Re&vert to Preset"), {}, tr("Take every difference from the preset back"),
                      [this] { session().recipe().replace(session().recipe().reference(), tr("Revert to Preset")); });
    QAction* view = addPageAction(tr("Show as &Text"), QKeySequence(QStringLiteral("Ctrl+Shift+T")),
                                  tr("Switch between the form and the two files"),
                                  [this] { showForm(views_->currentIndex() == 1); });
    auto* menu = new QMenu(menu_);
    menu->addActions({load, pasted, save});
    menu->addSeparator();
    menu->addActions({undo_, redo_, revert});
    menu->addSeparator();
    menu->addAction(view);
    menu_->setMenu(menu);
}

void RecipePage::documentChanged() {
    saved_ = false;
    form_->refresh();
    if (views_->currentIndex() == 1) text_->refresh();
    if (presets_->currentText() != session().recipe().preset()) refreshPresets();
    refreshFilterNote();
    refreshHeader();
    refreshName();
    Q_EMIT subjectChanged();
}

void RecipePage::offerCards() {
    std::vector<FieldControl::Offer> cards;
    for (const CardWatch::Card& card : session().cards().cards())
        cards.push_back({QStringLiteral("cuda:") + text(card.reading.card.uuid), card.label});
    form_->setDevices(cards);
}

void RecipePage::refreshPresets() {
    const QSignalBlocker quiet(presets_);
    presets_->clear();
    presets_->addItems(session().recipe().presets());
    presets_->setCurrentText(session().recipe().preset());
}

void RecipePage::refreshName() {
    if (!session().hasProject() || view_->nameEdit()->isModified()) return;
    view_->nameEdit()->setText(session().runs().nameForNewRun(session().recipe().preset()));
}

void RecipePage::refreshHeader() {
    const int changes = form_->changes();
    changes_->setText(tr("%n change(s)", nullptr, changes));
    changes_->setVisible(changes > 0 || changes_->isChecked());
    const QString reason = blocked();
    const bool unusable = !form_->unusable().isEmpty();
    view_->setBlocked(unusable ? tr("%1 The figures below are of the recipe before.").arg(reason) : reason,
                      session().runs().active() || unusable);
    view_->setOutdated(unusable);
    start_->setEnabled(reason.isEmpty());
    start_->setToolTip(reason.isEmpty() ? start_->statusTip() : reason);
    QString busy;
    if (session().runs().active()) {
        busy = tr("A run is active.");
    } else if (consequences_.measuring()) {
        busy = tr("A dry run is at work.");
    } else if (!session().engine().busyWith().isEmpty()) {
        busy = tr("The engine is busy: %1.").arg(session().engine().busyWith());
    } else if (!reason.isEmpty()) {
        busy = reason;
    } else if (!consequences_.run()) {
        busy = tr("The data is being read.");
    }
    view_->setDryRunBlocked(busy);
    dry_run_->setEnabled(busy.isEmpty());
    const QUndoStack* stack = session().recipe().undoStack();
    undo_->setEnabled(stack->canUndo() || !form_->unusable().isEmpty());
    redo_->setEnabled(stack->canRedo());
    undo_->setText(stack->canUndo() ? tr("&Undo %1").arg(stack->undoText()) : tr("&Undo"));
    redo_->setText(stack->canRedo() ? tr("&Redo %1").arg(stack->redoText()) : tr("&Redo"));
    Q_EMIT statusChanged();
}

void RecipePage::refreshFilterNote() {
    const std::string& filter = session().recipe().recipe().training.filter;
    const auto parsed = corpus::parseFilter(filter);
    const jobs::PreviewRun* run = consequences_.run();
    QString count;
    if (run)
        count = tr("%n conversation(s)", nullptr, static_cast<int>(run->conversations + run->held_out_conversations));
    form_->setFilterWords(parsed ? text(corpus::describe(*parsed)) : QString(), parsed ? count : QString());
}

QString RecipePage::blocked() const {
    Session& s = session();
    if (!s.hasProject()) return tr("No project is open.");
    if (s.runs().active())
        return tr("The run “%1” is active. Stop it first, or wait for its end.").arg(s.runs().live()->name);
    if (const QStringList wrong = form_->unusable(); !wrong.isEmpty())
        return tr("No usable value: %1.").arg(wrong.join(QStringLiteral(", ")));
    for (const config::FieldIssue& issue : s.recipe().issues())
        if (issue.severity == config::Severity::Error) return joined(text(issue.message), text(issue.hint));
    if (const auto& preview = consequences_.preview(); preview && !consequences_.stale()) {
        if (preview->model_error) return joined(text(preview->model_error->message), text(preview->model_error->hint));
        if (preview->run_error) return joined(text(preview->run_error->message), text(preview->run_error->hint));
    }
    return {};
}

void RecipePage::showForm(bool form) {
    if (!form) {
        form_->commitAll();
        text_->refresh();
    }
    views_->setCurrentIndex(form ? 0 : 1);
    form_button_->setChecked(form);
    text_button_->setChecked(!form);
}

QString RecipePage::subject() const {
    return session().hasProject() ? session().recipe().preset() : QString();
}

QString RecipePage::status() const {
    if (!session().hasProject()) return {};
    const int changes = form_->changes();
    const QString state = saved_ ? tr("Recipe of this project, saved") : tr("Recipe of this project");
    return changes == 0 ? tr("%1 · as in preset %2").arg(state, session().recipe().preset())
                        : tr("%1 · %2 from preset %3")
                              .arg(state, tr("%n change(s)", nullptr, changes), session().recipe().preset());
}

QString RecipePage::statusRight() const {
    const QUndoStack* stack = session().recipe().undoStack();
    return stack->canUndo() ? tr("Undo: %1").arg(stack->undoText()) : QString();
}

QString RecipePage::help() const {
    return tr(
        "The recipe says how to train: base model, adapter, data, schedule. It belongs to the project and saves "
        "itself after every change; Ctrl+Z takes a change back. Values that differ from the preset are bold, with "
        "a button that brings the preset's value back. Beside the form stands what the recipe will do; Measure "
        "makes one real step to know the time. Ctrl+F finds a field, Ctrl+R starts a run with a copy of the "
        "recipe.");
}

void RecipePage::focusSearch() {
    showForm(true);
    find_->setFocus(Qt::ShortcutFocusReason);
    find_->selectAll();
}

bool RecipePage::escape() {
    if (consequences_.measuring()) {
        consequences_.cancelMeasure();
        return true;
    }
    if (find_->text().isEmpty() && !changes_->isChecked()) return false;
    find_->clear();
    changes_->setChecked(false);
    return true;
}

void RecipePage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    fitPanes();
}

// The form has room for its controls beside their labels where that leaves half of the page; until a person moves it.
void RecipePage::fitPanes() {
    if (placed_ || width() < 200) return;
    const int wide = form_->wideWidth(), some = 2 * characterWidth(font());
    const int form = wide + some <= width() / 2 ? wide + some : wide <= width() * 11 / 20 ? wide : width() * 9 / 20;
    splitter_->setSizes({form, width() - form});
}

void RecipePage::activated() {
    fitPanes();
    consequences_.wake();
    refreshName();
}

namespace {

// What a dry run measured, for the next start: it took its time, and holds for the same recipe on the same machine.
QJsonObject written(const jobs::Measurement& m) {
    return {{QStringLiteral("recipe"), text(m.key)},
            {QStringLiteral("seconds_a_step"), m.seconds_a_step},
            {QStringLiteral("seconds_a_row"), m.seconds_a_row},
            {QStringLiteral("loss"), m.loss},
            {QStringLiteral("rows"), m.rows},
            {QStringLiteral("targets"), m.targets},
            {QStringLiteral("peak_bytes"), static_cast<double>(m.peak_bytes)},
            {QStringLiteral("weight_bytes"), static_cast<double>(m.weight_bytes)},
            {QStringLiteral("device_kind"), text(m.device.kind)},
            {QStringLiteral("device_name"), text(m.device.name)},
            {QStringLiteral("device_bytes"), static_cast<double>(m.device.memory_bytes)}};
}

jobs::Measurement measuredBefore(const QJsonObject& o) {
    const auto number = [&](const char* key) { return std::max(0.0, o.value(QLatin1String(key)).toDouble()); };
    const auto words = [&](const char* key) { return utf8(o.value(QLatin1String(key)).toString()); };
    jobs::Measurement m;
    m.key = words("recipe");
    m.seconds_a_step = number("seconds_a_step");
    m.seconds_a_row = number("seconds_a_row");
    m.loss = number("loss");
    m.rows = o.value(QLatin1String("rows")).toInt();
    m.targets = o.value(QLatin1String("targets")).toInt();
    m.peak_bytes = static_cast<std::uint64_t>(number("peak_bytes"));
    m.weight_bytes = static_cast<std::uint64_t>(number("weight_bytes"));
    m.device.kind = words("device_kind");
    m.device.name = words("device_name");
    m.device.memory_bytes = static_cast<std::uint64_t>(number("device_bytes"));
    return m;
}

}  // namespace

QJsonObject RecipePage::saveState() const {
    QJsonObject state{{QStringLiteral("text"), views_->currentIndex() == 1},
                      {QStringLiteral("unfolded"), QJsonArray::fromStringList(form_->unfolded())}};
    if (placed_) state.insert(QStringLiteral("splitter"), QString::fromLatin1(splitter_->saveState().toBase64()));
    if (const jobs::Measurement* measured = consequences_.measurement())
        state.insert(QStringLiteral("measured"), written(*measured));
    return state;
}

void RecipePage::restoreState(const QJsonObject& state) {
    showForm(!state.value(QLatin1String("text")).toBool());
    QStringList unfolded;
    for (const QJsonValue& name : state.value(QLatin1String("unfolded")).toArray()) unfolded << name.toString();
    form_->setUnfolded(unfolded);
    const QByteArray sizes = QByteArray::fromBase64(state.value(QLatin1String("splitter")).toString().toLatin1());
    if (!sizes.isEmpty()) placed_ = splitter_->restoreState(sizes);
    if (const QJsonObject measured = state.value(QLatin1String("measured")).toObject(); !measured.isEmpty())
        consequences_.take(measuredBefore(measured));
}

}  // namespace studio::ui
