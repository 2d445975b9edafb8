#include "ui/recipe/recipe_form.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QScrollBar>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/flow_layout.h"

namespace studio::ui {
namespace {

// Fields that few people touch. They stand folded below their group, and show themselves when they differ from the
// preset or something is wrong with them.
constexpr std::string_view kRare[] = {
    "bnb_4bit_quant_type",
    "exclude_modules",
    "use_rslora",
    "layers_to_transform",
    "layers_pattern",
    "rank_pattern",
    "alpha_pattern",
    "view",
    "group_by_length",
    "shuffle",
    "data_seed",
    "threads",
    "full_determinism",
    "output_dir",
    "run_name",
    "optim",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "resid_pdrop",
    "lr_scheduler_kwargs",
    "warmup_steps",
    "eval_on_start",
    "logging_steps",
    "per_device_eval_batch_size",
    "fp16",
};

bool isRare(std::string_view key) {
    return std::find(std::begin(kRare), std::end(kRare), key) != std::end(kRare);
}

struct Part {
    const char* title;
    std::vector<config::Group> groups;
};

// The base model belongs to its quantisation in the eyes of a person, to the data in the file.
std::vector<config::Field> fieldsOf(const Part& part) {
    std::vector<config::Field> found;
    const bool first = part.groups.front() == config::Group::Quantisation;
    for (const config::Field& field : config::fields()) {
        const bool model = field.key == "model_name_or_path";
        const bool here = std::find(part.groups.begin(), part.groups.end(), field.group) != part.groups.end();
        if (model && first) found.insert(found.begin(), field);
        if (here && !model) found.push_back(field);
    }
    return found;
}

}  // namespace

RecipeForm::RecipeForm(RecipeDocument& document, QWidget* parent)
    : QWidget(parent), document_(document), scroll_(new QScrollArea(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(scroll_, 1);
    layout->addWidget(new Hairline(Qt::Horizontal, this));
    scroll_->setWidgetResizable(true);
    scroll_->setFrameShape(QFrame::NoFrame);
    scroll_->setFocusPolicy(Qt::NoFocus);
    scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);

    auto* help = new QWidget(this);
    auto* lines = new QVBoxLayout(help);
    lines->setContentsMargins(4 * kSpace, 2 * kSpace, 4 * kSpace, 2 * kSpace);
    lines->setSpacing(kSpace / 2);
    auto* head = new QHBoxLayout;
    head->setSpacing(2 * kSpace);
    help_title_ = new Text(Text::Kind::Strong, {}, help);
    help_key_ = new Text(Text::Kind::Code, {}, help);
    help_key_->setHue(Hue::Secondary);
    head->addWidget(help_title_);
    head->addWidget(help_key_);
    head->addStretch();
    help_text_ = new Text(Text::Kind::Secondary, {}, help);
    help_text_->setWordWrap(true);
    help_text_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    lines->addLayout(head);
    lines->addWidget(help_text_);
    layout->addWidget(help);
}

void RecipeForm::rebuild(const QString& project_folder) {
    delete body_;
    sections_.clear();
    rows_.clear();
    body_ = new QWidget;
    column_ = new QVBoxLayout(body_);
    column_->setContentsMargins(4 * kSpace, 3 * kSpace, 4 * kSpace, 4 * kSpace);
    column_->setSpacing(5 * kSpace);
    nothing_ = new Text(Text::Kind::Secondary, {}, body_);
    nothing_->setWordWrap(true);
    nothing_->hide();
    column_->addWidget(nothing_);
    using config::Group;
    for (const Part& part :
         {Part{QT_TR_NOOP("Model and quantisation"), {Group::Quantisation}}, Part{QT_TR_NOOP("Adapter"), {Group::Lora}},
          Part{QT_TR_NOOP("Data"), {Group::Data}}, Part{QT_TR_NOOP("Length and batches"), {Group::Length}},
          Part{QT_TR_NOOP("Optimisation"), {Group::Optimizer, Group::Schedule}},
          Part{QT_TR_NOOP("Evaluation and checkpoints"), {Group::Evaluation, Group::Checkpoints}},
          Part{QT_TR_NOOP("Samples"), {Group::Samples}}, Part{QT_TR_NOOP("Memory and precision"), {Group::Precision}},
          Part{QT_TR_NOOP("Run"), {Group::Run}}})
        addSection(tr(part.title), fieldsOf(part), project_folder);
    column_->addStretch();

    scroll_->setWidget(body_);

    setDevices(std::exchange(devices_, {}));
    if (FieldRow* model = row("model_name_or_path")) {
        auto* choose = new LinkButton(tr("Choose in Models"), model);
        connect(choose, &QToolButton::clicked, this, &RecipeForm::chooseModelWanted);
        model->addBelow(choose);
    }
    if (FieldRow* filter = row("filter")) {
        filter_note_ = new QWidget(filter);
        auto* note = new QVBoxLayout(filter_note_);
        note->setContentsMargins(0, 0, 0, kSpace);
        note->setSpacing(0);
        filter_words_ = new Text(Text::Kind::Secondary, {}, filter_note_);
        filter_words_->setWordWrap(true);
        filter_words_->setMinimumWidth(1);
        note->addWidget(filter_words_);
        auto* line = new FlowLayout(3 * kSpace);
        filter_count_ = new Text(Text::Kind::Secondary, {}, filter_note_);
        auto* show = new LinkButton(tr("Show in Data"), filter_note_);
        connect(show, &QToolButton::clicked, this, &RecipeForm::showDataWanted);
        line->addWidget(filter_count_);
        line->addWidget(show);
        note->addLayout(line);
        filter->addBelow(filter_note_);
    }
    refresh();
    showHelp(rows_.front());
    fit();
}

int RecipeForm::frameWidth() const {
    const QMargins margins = column_->contentsMargins();
    return margins.left() + margins.right() + scroll_->verticalScrollBar()->sizeHint().width();
}

int RecipeForm::wideWidth() const {
    int label = 0, control = 0;
    for (const FieldRow* field : rows_) {
        label = std::max(label, field->labelWidth());
        control = std::max(control, field->controlWidth());
    }
    return label + 4 * kSpace + control + frameWidth();
}

// All fields in one manner: a column of labels, or each label above its control.
void RecipeForm::fit() {
    int label = 0, control = 0;
    for (const FieldRow* field : rows_) {
        label = std::max(label, field->labelWidth() + kSpace);
        control = std::max(control, field->controlWidth());
    }
    setMinimumWidth(std::max(label, control) + frameWidth());
    const bool below = width() < wideWidth();
    for (FieldRow* field : rows_) field->arrange(below, label);
    fitHelp();
}

void RecipeForm::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fit();
}

void RecipeForm::addSection(const QString& title, const std::vector<config::Field>& fields,
                            const QString& project_folder) {
    Section section;
    section.name = title;
    section.box = new QWidget(body_);
    auto* lines = new QVBoxLayout(section.box);
    lines->setContentsMargins(0, 0, 0, 0);
    lines->setSpacing(kSpace + kSpace / 2);
    section.title = new Text(Text::Kind::Strong, title, section.box);
    lines->addWidget(section.title);
    const auto add = [&](const config::Field& field, std::vector<FieldRow*>& into) {
        auto* made = new FieldRow(field, document_, project_folder, section.box);
        lines->addWidget(made);
        into.push_back(made);
        rows_.push_back(made);
        connect(made, &FieldRow::focused, this, [this, made] { showHelp(made); });
        connect(made, &FieldRow::stateChanged, this, [this] { Q_EMIT stateChanged(); });
    };
    for (const config::Field& field : fields)
        if (!isRare(field.key)) add(field, section.common);
    for (const config::Field& field : fields)
        if (isRare(field.key)) add(field, section.rare);
    if (!section.rare.empty()) {
        section.more = new LinkButton(QString(), section.box);
        auto* line = new QHBoxLayout;
        line->addSpacing(-kSpace);
        line->addWidget(section.more);
        line->addStretch();
        lines->addLayout(line);
        const std::size_t index = sections_.size();
        connect(section.more, &QToolButton::clicked, this, [this, index] {
            sections_[index].unfolded = !sections_[index].unfolded;
            arrange();
        });
    }
    column_->addWidget(section.box);
    sections_.push_back(std::move(section));
}

void RecipeForm::refresh() {
    for (FieldRow* field : rows_) field->refresh();
    arrange();
}

void RecipeForm::commitAll() {
    for (FieldRow* field : rows_) field->commit();
}

FieldRow* RecipeForm::row(std::string_view key) const {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const FieldRow* r) { return r->field().key == key; });
    return found == rows_.end() ? nullptr : *found;
}

void RecipeForm::showOnly(const QString& words, bool changed_only) {
    words_ = words.trimmed();
    changed_only_ = changed_only;
    arrange();
}

void RecipeForm::arrange() {
    const bool searching = !words_.isEmpty() || changed_only_;
    bool any = false;
    for (Section& section : sections_) {
        int shown = 0, folded = 0;
        const auto visible = [&](FieldRow* field, bool rare) {
            const bool speaks = field->differs() || !field->error().isEmpty();
            bool show = !rare || section.unfolded || speaks;
            if (searching)
                show = (words_.isEmpty() || field->matches(words_) ||
                        section.name.contains(words_, Qt::CaseInsensitive)) &&
                       (!changed_only_ || speaks);
            field->setVisible(show);
            shown += show;
            folded += rare && !show;
        };
        for (FieldRow* field : section.common) visible(field, false);
        for (FieldRow* field : section.rare) visible(field, true);
        if (section.more) {
            section.more->setVisible(!searching && (folded > 0 || section.unfolded));
            section.more->setText(
                section.unfolded ? tr("Fewer") : QCoreApplication::translate("RecipeForm", "%n more", nullptr, folded));
            section.more->setAccessibleName(section.unfolded ? tr("Fewer fields of %1").arg(section.name)
                                                             : tr("More fields of %1").arg(section.name));
        }
        section.box->setVisible(shown > 0 || (section.more && section.more->isVisibleTo(section.box) && !searching));
        any = any || shown > 0;
    }
    nothing_->setVisible(!any);
    nothing_->setText(changed_only_ ? tr("Nothing differs from the preset “%1”.").arg(document_.preset())
                                    : tr("No field is called “%1”. Look for its words or its key.").arg(words_));
    fit();
}

void RecipeForm::goTo(std::string_view key) {
    FieldRow* field = row(key);
    if (!field) return;
    for (Section& section : sections_)
        if (std::find(section.rare.begin(), section.rare.end(), field) != section.rare.end()) section.unfolded = true;
    arrange();
    body_->layout()->activate();
    field->giveFocus();
    // Once the layout of what came to light is done.
    QTimer::singleShot(0, field, [this, field] { scroll_->ensureWidgetVisible(field, 0, 8 * kSpace); });
}

int RecipeForm::changes() const {
    return static_cast<int>(std::count_if(rows_.begin(), rows_.end(), [](const FieldRow* r) { return r->differs(); }));
}

QStringList RecipeForm::unusable() const {
    QStringList labels;
    for (const FieldRow* field : rows_)
        if (field->unusable()) labels << fieldLabel(field->field().key);
    return labels;
}

void RecipeForm::setDevices(const std::vector<FieldControl::Offer>& devices) {
    devices_ = devices;
    if (FieldRow* device = row("device")) device->control()->offer(devices_);
}

void RecipeForm::setFilterWords(const QString& sentence, const QString& count) {
    if (!filter_words_) return;
    filter_words_->setText(sentence);
    filter_words_->setVisible(!sentence.isEmpty());
    filter_count_->setText(count);
    filter_count_->setVisible(!count.isEmpty());
}

QStringList RecipeForm::unfolded() const {
    QStringList names;
    for (const Section& section : sections_)
        if (section.unfolded) names << section.name;
    return names;
}

void RecipeForm::setUnfolded(const QStringList& names) {
    for (Section& section : sections_) section.unfolded = names.contains(section.name);
    arrange();
}

QString RecipeForm::helpOf(const config::Field& field) const {
    QStringList parts{text(field.help)};
    const QString range = text(field.range.text());
    if (!range.isEmpty()) parts << tr("Range: %1.").arg(range);
    const QString preset = shortText(field, document_.reference());
    parts << tr("Preset: %1.").arg(preset.size() > 40 ? preset.left(39) + QStringLiteral("…") : preset);
    if (const QString ordinary = text(config::defaultText(field));
        !ordinary.isEmpty() && ordinary != QLatin1String("\"\"") && ordinary != QLatin1String("null"))
        parts << tr("Default of the file: %1.").arg(ordinary);
    return parts.join(QLatin1Char(' '));
}

void RecipeForm::showHelp(const FieldRow* row) {
    help_title_->setText(fieldLabel(row->field().key));
    help_key_->setText(text(row->field().key));
    help_text_->setText(helpOf(row->field()));
    help_text_->setToolTip(help_text_->text());
}

// Room for the longest help there is, so that the form does not move while one goes through it.
void RecipeForm::fitHelp() {
    const QFont font = help_text_->font();
    const QMargins margins = help_text_->parentWidget()->layout()->contentsMargins();
    const int wide = width() - margins.left() - margins.right();
    if (wide <= 0 || (helped_ == wide && helped_font_ == font)) return;
    helped_ = wide;
    helped_font_ = font;
    const QFontMetrics metrics(font);
    int high = 0;
    for (const FieldRow* row : rows_)
        high =
            std::max(high, metrics.boundingRect({0, 0, wide, 10000}, Qt::TextWordWrap, helpOf(row->field())).height());
    help_text_->setFixedHeight(high + kSpace);
}

void RecipeForm::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::ApplicationPaletteChange)
        for (FieldRow* field : rows_) field->refresh();
    if (event->type() == QEvent::ApplicationFontChange) QTimer::singleShot(0, this, &RecipeForm::fit);
}

}  // namespace studio::ui
