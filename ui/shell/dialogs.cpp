#include "ui/shell/dialogs.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QButtonGroup>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QVBoxLayout>
#include <QWheelEvent>

#include "project/run_folder.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// The wheel counts only with the focus.
class DeviceBox final : public QComboBox {
  public:
    DeviceBox() { setFocusPolicy(Qt::StrongFocus); }

  protected:
    void wheelEvent(QWheelEvent* event) override { hasFocus() ? QComboBox::wheelEvent(event) : event->ignore(); }
};

QWidget* themeRow(Settings& settings) {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* group = new QButtonGroup(row);
    const std::pair<ThemeChoice, QString> choices[] = {{ThemeChoice::System, SettingsDialog::tr("&As the desktop")},
                                                       {ThemeChoice::Light, SettingsDialog::tr("&Light")},
                                                       {ThemeChoice::Dark, SettingsDialog::tr("&Dark")}};
    for (const auto& [choice, words] : choices) {
        auto* button = new QRadioButton(words);
        button->setAccessibleName(QString(words).remove(QLatin1Char('&')));
        button->setChecked(settings.theme() == choice);
        group->addButton(button, static_cast<int>(choice));
        layout->addWidget(button);
    }
    layout->addStretch(1);
    QObject::connect(group, &QButtonGroup::idToggled, row, [&settings](int id, bool on) {
        if (on) settings.setTheme(static_cast<ThemeChoice>(id));
    });
    return row;
}

// The processor, the first card, and each card by name; a chosen one is remembered by its UUID.
void listDevices(QComboBox& box, const QString& chosen, const CardWatch& cards) {
    std::vector<std::pair<QString, QString>> all = {
        {SettingsDialog::tr("Automatic"), QStringLiteral("auto")},
        {SettingsDialog::tr("Processor (CPU)"), QStringLiteral("cpu")},
        {SettingsDialog::tr("First graphics card (CUDA)"), QStringLiteral("cuda")}};
    for (const CardWatch::Card& card : cards.cards())
        all.emplace_back(card.label, QStringLiteral("cuda:") + text(card.reading.card.uuid));
    const bool listed = std::any_of(all.begin(), all.end(), [&](const auto& item) { return item.second == chosen; });
    if (!listed) all.emplace_back(SettingsDialog::tr("%1 (not found)").arg(chosen), chosen);
    bool same = box.count() == static_cast<int>(all.size());
    for (int i = 0; same && i < box.count(); ++i)
        same = box.itemText(i) == all[static_cast<std::size_t>(i)].first &&
               box.itemData(i) == all[static_cast<std::size_t>(i)].second;
    if (!same) {
        box.clear();
        for (const auto& [words, value] : all) box.addItem(words, value);
    }
    box.setCurrentIndex(box.findData(chosen));
}

QWidget* folderRow(const QString& name, const QString& value, const std::function<void(QString)>& set) {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* edit = new QLineEdit(value);
    edit->setAccessibleName(name);
    auto* browse = new QPushButton(SettingsDialog::tr("Browse…"));
    browse->setAccessibleName(SettingsDialog::tr("Browse for: %1").arg(name));
    layout->addWidget(edit, 1);
    layout->addWidget(browse);
    QObject::connect(edit, &QLineEdit::editingFinished, edit, [edit, set] { set(edit->text()); });
    QObject::connect(browse, &QPushButton::clicked, edit, [edit, set, name] {
        const QString folder = QFileDialog::getExistingDirectory(edit->window(), name, edit->text());
        if (folder.isEmpty()) return;
        edit->setText(folder);
        set(folder);
    });
    return row;
}

QWidget* modelFolders(Settings& settings) {
    auto* box = new QWidget;
    auto* layout = new QHBoxLayout(box);
    layout->setContentsMargins(0, 0, 0, 0);
    auto* list = new QListWidget;
    list->setAccessibleName(SettingsDialog::tr("Model folders"));
    list->addItems(settings.modelFolders());
    list->setFixedHeight(4 * rowHeight(QApplication::font()));
    auto* column = new QVBoxLayout;
    auto* add = new QPushButton(SettingsDialog::tr("Add…"));
    auto* remove = new QPushButton(SettingsDialog::tr("Remove"));
    add->setAccessibleName(SettingsDialog::tr("Add a model folder"));
    remove->setAccessibleName(SettingsDialog::tr("Remove the chosen model folder from the list"));
    remove->setEnabled(false);
    column->addWidget(add);
    column->addWidget(remove);
    column->addStretch(1);
    layout->addWidget(list, 1);
    layout->addLayout(column);
    const auto store = [list, &settings] {
        QStringList all;
        for (int i = 0; i < list->count(); ++i) all << list->item(i)->text();
        settings.setModelFolders(all);
    };
    QObject::connect(list, &QListWidget::itemSelectionChanged, remove,
                     [list, remove] { remove->setEnabled(!list->selectedItems().isEmpty()); });
    QObject::connect(add, &QPushButton::clicked, list, [list, store] {
        const QString folder = QFileDialog::getExistingDirectory(list->window(), SettingsDialog::tr("Model folder"));
        if (folder.isEmpty()) return;
        list->addItem(folder);
        store();
    });
    QObject::connect(remove, &QPushButton::clicked, list, [list, store] {
        qDeleteAll(list->selectedItems());
        store();
    });
    return box;
}

}  // namespace

SettingsDialog::SettingsDialog(Settings& settings, CardWatch& cards, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Settings"));
    auto* column = new QVBoxLayout(this);
    auto* form = new QFormLayout;
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    form->setVerticalSpacing(3 * kSpace);
    form->addRow(tr("Theme"), themeRow(settings));
    auto* device = new DeviceBox;
    device->setAccessibleName(tr("Device for chats and evaluations"));
    auto* no_card = new Text(Text::Kind::Secondary);
    no_card->setWordWrap(true);
    const auto list = [device, no_card, &settings, &cards] {
        listDevices(*device, settings.device(), cards);
        const auto& problem = cards.problem();
        no_card->setText(problem ? text(problem->text()) : QString());
        no_card->setVisible(problem.has_value());
    };
    list();
    connect(&cards, &CardWatch::changed, device, [device, list] {
        if (!device->view()->isVisible()) list();
    });
    cards.showIn(this);
    connect(device, &QComboBox::activated, this,
            [device, &settings] { settings.setDevice(device->currentData().toString()); });
    auto* device_label = new QLabel(tr("De&vice"));
    device_label->setBuddy(device);
    form->addRow(device_label, device);
    form->addRow(QString(), no_card);
    form->addRow(tr("New projects in"), folderRow(tr("Folder of new projects"), settings.projectsFolder(),
                                                  [&settings](const QString& f) { settings.setProjectsFolder(f); }));
    form->addRow(tr("Model folders"), modelFolders(settings));
    auto* hint = new Text(Text::Kind::Secondary,
                          tr("Searched besides the built-in model and the Hugging Face cache. A recipe names its own "
                             "device."));
    hint->setWordWrap(true);
    hint->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    form->addRow(QString(), hint);
    auto* awake = new QCheckBox(tr("&Keep the machine awake while a run is active"));
    awake->setChecked(settings.inhibitSuspend());
    connect(awake, &QCheckBox::toggled, &settings, &Settings::setInhibitSuspend);
    form->addRow(QString(), awake);
    column->addLayout(form);
    column->addStretch(1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    column->addWidget(buttons);
    setMinimumWidth(characterWidth(font()) * 80);
}

NewProjectDialog::NewProjectDialog(const QString& parent_folder, QWidget* parent)
    : QDialog(parent), title_(new QLineEdit), folder_(new QLineEdit), problem_(new Text(Text::Kind::Secondary)) {
    setWindowTitle(tr("New project"));
    auto* column = new QVBoxLayout(this);
    auto* form = new QFormLayout;
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    title_->setAccessibleName(tr("Name of the project"));
    folder_->setAccessibleName(tr("Folder of the project"));
    auto* name_label = new QLabel(tr("&Name"));
    name_label->setBuddy(title_);
    form->addRow(name_label, title_);
    auto* folder_row = new QHBoxLayout;
    auto* browse = new QPushButton(tr("Browse…"));
    browse->setAccessibleName(tr("Browse for the folder of the project"));
    folder_row->addWidget(folder_, 1);
    folder_row->addWidget(browse);
    auto* folder_label = new QLabel(tr("&Folder"));
    folder_label->setBuddy(folder_);
    form->addRow(folder_label, folder_row);
    column->addLayout(form);
    problem_->setWordWrap(true);
    problem_->setHue(Hue::Bad);
    column->addWidget(problem_);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    create_ = buttons->addButton(tr("Create"), QDialogButtonBox::AcceptRole);
    setPrimary(create_);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(title_, &QLineEdit::textChanged, this, [this, parent_folder] {
        if (!folder_edited_)
            folder_->setText(QDir(parent_folder).filePath(text(project::folderName(utf8(title_->text())))));
        check();
    });
    connect(folder_, &QLineEdit::textEdited, this, [this] {
        folder_edited_ = true;
        check();
    });
    connect(browse, &QPushButton::clicked, this, [this, parent_folder] {
        const QString chosen = QFileDialog::getExistingDirectory(this, tr("Folder of the project"), parent_folder);
        if (chosen.isEmpty()) return;
        folder_edited_ = true;
        folder_->setText(chosen);
        check();
    });
    title_->setText(tr("My conversations"));
    title_->selectAll();
    setMinimumWidth(characterWidth(font()) * 72);
}

QString NewProjectDialog::title() const {
    return title_->text().trimmed();
}

QString NewProjectDialog::folder() const {
    return folder_->text();
}

void NewProjectDialog::check() {
    QString problem;
    const QDir dir(folder_->text());
    if (title().isEmpty())
        problem = tr("Give the project a name.");
    else if (!QDir::isAbsolutePath(folder_->text()))
        problem = tr("Name a folder from the root, such as /home/you/projects/mine.");
    else if (project::isProjectFolder(path(folder_->text())))
        problem = tr("This folder holds a project already; open it instead.");
    else if (dir.exists() && !dir.isEmpty())
        problem = tr("This folder holds other files; choose an empty or a new one.");
    problem_->setText(problem);
    create_->setEnabled(problem.isEmpty());
    create_->setToolTip(toolTipText(problem));
}

namespace {

CloseChoice ask(const QString& title, const QString& words, const QString& more, const QString& keep_words,
                const QString& stop_words, QWidget* parent) {
    QMessageBox box(QMessageBox::Question, title, words, QMessageBox::NoButton, parent);
    box.setTextFormat(Qt::PlainText);
    box.setInformativeText(more);
    QPushButton* keep = box.addButton(keep_words, QMessageBox::AcceptRole);
    QPushButton* stop = box.addButton(stop_words, QMessageBox::DestructiveRole);
    QPushButton* cancel = box.addButton(QObject::tr("Cancel"), QMessageBox::RejectRole);
    box.setDefaultButton(keep);
    box.setEscapeButton(cancel);
    box.exec();
    return box.clickedButton() == keep   ? CloseChoice::Keep
           : box.clickedButton() == stop ? CloseChoice::Stop
                                         : CloseChoice::Cancel;
}

}  // namespace

CloseChoice askClose(const LiveRun& live, const QList<LongWork>& others, QWidget* parent) {
    const bool paused = live.state == project::RunState::Paused || live.pausing;
    const QString words =
        paused ? QObject::tr("“%1” is paused, step %2 of %3.") : QObject::tr("“%1” is training, step %2 of %3.");
    QStringList more{
        paused
            ? QObject::tr("It can be resumed and go on with the window minimised, or stop after a checkpoint and be "
                          "resumed later.")
            : QObject::tr("It can go on with the window minimised, or stop after a checkpoint and be resumed later.")};
    for (const LongWork& other : others)
        more << QObject::tr("%1 ends with the window. %2").arg(other.name, other.if_stopped);
    return ask(QObject::tr("Close while training"), words.arg(live.name, number(live.step), number(live.total)),
               more.join(QStringLiteral("\n\n")),
               paused ? QObject::tr("Resume and Keep Training") : QObject::tr("Keep Training"),
               QObject::tr("Stop After Checkpoint"), parent);
}

CloseChoice askClose(const QList<LongWork>& work, QWidget* parent) {
    QStringList names, more{QObject::tr("It can go on with the window minimised.")};
    for (const LongWork& one : work) {
        names << (one.words.isEmpty() ? one.name : QObject::tr("%1: %2").arg(one.name, one.words));
        more << one.if_stopped;
    }
    return ask(QObject::tr("Close while work is going on"), names.join(QLatin1Char('\n')),
               more.join(QStringLiteral("\n\n")), QObject::tr("Keep Running"), QObject::tr("Stop and Quit"), parent);
}

TextDialog::TextDialog(const QString& title, const QString& words, bool code, QWidget* parent) : QDialog(parent) {
    setWindowTitle(title);
    setAttribute(Qt::WA_DeleteOnClose);
    auto* column = new QVBoxLayout(this);
    auto* view = new QPlainTextEdit(words);
    view->setReadOnly(true);
    view->setAccessibleName(title);
    if (code) {
        view->setFont(codeFont(font()));
        view->setLineWrapMode(QPlainTextEdit::NoWrap);
    }
    column->addWidget(view, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QPushButton* copy = buttons->addButton(tr("Copy"), QDialogButtonBox::ActionRole);
    connect(copy, &QPushButton::clicked, this, [view] { QApplication::clipboard()->setText(view->toPlainText()); });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    column->addWidget(buttons);
    const QFontMetrics metrics(code ? codeFont(font()) : font());
    resize(characterWidth(metrics) * 84, metrics.height() * 28);
}

}  // namespace studio::ui
