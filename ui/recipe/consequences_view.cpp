#include "ui/recipe/consequences_view.h"

#include <unistd.h>

#include <QBoxLayout>
#include <QGraphicsOpacityEffect>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QResizeEvent>
#include <QScrollArea>
#include <cmath>

#include "ui/look/format.h"
#include "ui/look/style.h"
#include "ui/look/type.h"
#include "ui/recipe/findings_view.h"
#include "ui/recipe/length_bars.h"
#include "ui/recipe/module_diagram.h"
#include "ui/recipe/planned_memory.h"
#include "ui/recipe/rate_curve.h"
#include "ui/widgets/memory_bar.h"

namespace studio::ui {
namespace {

QString count(std::int64_t value) {
    return number(static_cast<qint64>(value));
}

// 23,592,960 as "23.6 M".
QString brief(std::int64_t parameters) {
    const auto value = static_cast<double>(parameters);
    if (parameters >= 1'000'000'000) return ConsequencesView::tr("%1 B").arg(number(value / 1e9, 2));
    if (parameters >= 1'000'000) return ConsequencesView::tr("%1 M").arg(number(value / 1e6, 1));
    if (parameters >= 10'000) return ConsequencesView::tr("%1 K").arg(number(value / 1e3, 0));
    return count(parameters);
}

quint64 machineMemory() {
    return static_cast<quint64>(sysconf(_SC_PHYS_PAGES)) * static_cast<quint64>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ConsequencesView::ConsequencesView(Consequences& consequences, QWidget* parent)
    : QWidget(parent), consequences_(consequences) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(1, 0, 0, 0);  // the hairline to the form
    layout->setSpacing(0);
    buildHeader(layout);

    scroll_ = new QScrollArea(this);
    scroll_->setWidgetResizable(true);
    scroll_->setFrameShape(QFrame::NoFrame);
    scroll_->setFocusPolicy(Qt::NoFocus);
    scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* body = new QWidget;
    columns_ = new QBoxLayout(QBoxLayout::LeftToRight, body);
    columns_->setContentsMargins(5 * kSpace, 3 * kSpace, 4 * kSpace, 4 * kSpace);
    columns_->setSpacing(6 * kSpace);
    pictures_ = buildPictures();
    figures_ = buildFigures();
    columns_->addWidget(pictures_, 1);
    columns_->addWidget(figures_, 0);
    scroll_->setWidget(body);
    layout->addWidget(scroll_, 1);
    refresh();
}

void ConsequencesView::buildHeader(QVBoxLayout* layout) {
    header_ = new PaneHeader(tr("What this will do"), this);
    name_ = new QLineEdit(header_);
    name_->setAccessibleName(tr("Name of the run"));
    name_->setToolTip(tr("Name of the run"));
    name_->setPlaceholderText(tr("Name of the run"));
    name_->setMinimumWidth(characterWidth(font()) * 9);
    name_->setMaximumWidth(characterWidth(font()) * 17);
    dry_run_ = new QPushButton(tr("&Dry Run"), header_);
    start_ = new QPushButton(tr("&Start Run"), header_);
    setPrimary(start_);
    for (QPushButton* button : {dry_run_, start_}) button->setAutoDefault(false);
    header_->row()->addStretch();
    header_->row()->addWidget(name_);
    header_->row()->addWidget(dry_run_);
    header_->row()->addWidget(start_);
    layout->addWidget(header_);
    blocked_ = new Text(Text::Kind::Secondary, {}, this);
    blocked_->setHue(Hue::Bad);
    blocked_->setWordWrap(true);
    blocked_->setContentsMargins(5 * kSpace, 2 * kSpace, 4 * kSpace, 0);
    blocked_->hide();
    layout->addWidget(blocked_);
    connect(start_, &QPushButton::clicked, this, &ConsequencesView::startWanted);
    connect(name_, &QLineEdit::returnPressed, this, [this] {
        if (start_->isEnabled()) Q_EMIT startWanted();
    });
    connect(name_, &QLineEdit::textEdited, this, [this] { setStartError({}); });
    connect(dry_run_, &QPushButton::clicked, this, [this] { consequences_.measure(); });
}

QWidget* ConsequencesView::buildPictures() {
    auto* column = new QWidget;
    auto* lines = new QVBoxLayout(column);
    lines->setContentsMargins(0, 0, 0, 0);
    lines->setSpacing(2 * kSpace);
    modules_title_ = new Text(Text::Kind::Section, {}, column);
    modules_title_->setWordWrap(true);
    diagram_ = new ModuleDiagram(column);
    curve_title_ = new Text(Text::Kind::Section, {}, column);
    curve_ = new RateCurve(column);
    lines->addWidget(modules_title_);
    lines->addWidget(diagram_);
    lines->addSpacing(2 * kSpace);
    lines->addWidget(curve_title_);
    lines->addWidget(curve_);
    lines->addSpacing(2 * kSpace);
    lengths_title_ = new Text(Text::Kind::Section, {}, column);
    lengths_ = new LengthBars(column);
    for (Text* title : {curve_title_, lengths_title_}) title->setWordWrap(true);
    lines->addWidget(lengths_title_);
    lines->addWidget(lengths_);
    lines->addStretch();
    return column;
}

QWidget* ConsequencesView::buildFigures() {
    auto* column = new QWidget;
    auto* lines = new QVBoxLayout(column);
    lines->setContentsMargins(0, 0, 0, 0);
    lines->setSpacing(kSpace);
    auto* head = new QHBoxLayout;
    head->addWidget(new Text(Text::Kind::Section, tr("Run"), column));
    head->addStretch();
    updating_ = new Text(Text::Kind::Secondary, tr("updating…"), column);
    QSizePolicy keeps = updating_->sizePolicy();
    keeps.setRetainSizeWhenHidden(true);
    updating_->setSizePolicy(keeps);
    head->addWidget(updating_);
    lines->addLayout(head);
    run_facts_ = new FactList(column);
    lines->addWidget(run_facts_);

    measure_line_ = new QWidget(column);
    auto* measuring = new QHBoxLayout(measure_line_);
    measuring->setContentsMargins(0, 0, 0, 0);
    measure_note_ = new Text(Text::Kind::Secondary, {}, measure_line_);
    measure_note_->setWordWrap(true);
    measure_ = new LinkButton(tr("Measure"), measure_line_);
    measuring->addWidget(measure_note_, 1);
    measuring->addWidget(measure_, 0, Qt::AlignTop);
    lines->addWidget(measure_line_);
    busy_ = new QProgressBar(column);
    busy_->setRange(0, 0);
    busy_->setTextVisible(false);
    busy_->setFixedHeight(kSpace);
    busy_->setAccessibleName(tr("Measuring one micro-batch"));
    lines->addWidget(busy_);
    last_dry_run_ = new Text(Text::Kind::Secondary, {}, column);
    last_dry_run_->setWordWrap(true);
    lines->addWidget(last_dry_run_);
    connect(measure_, &QToolButton::clicked, this,
            [this] { consequences_.measuring() ? consequences_.cancelMeasure() : consequences_.measure(); });

    lines->addSpacing(3 * kSpace);
    memory_title_ = new Text(Text::Kind::Section, tr("Memory, GiB"), column);
    memory_title_->setWordWrap(true);
    lines->addWidget(memory_title_);
    memory_bar_ = new MemoryBar(column);
    lines->addWidget(memory_bar_);
    memory_facts_ = new FactList(column);
    lines->addWidget(memory_facts_);
    memory_note_ = new Text(Text::Kind::Secondary, {}, column);
    memory_note_->setWordWrap(true);
    lines->addWidget(memory_note_);

    lines->addSpacing(3 * kSpace);
    lines->addWidget(new Text(Text::Kind::Section, tr("Worth a look"), column));
    findings_ = new FindingsView(column);
    lines->addWidget(findings_);
    lines->addStretch();
    connect(findings_, &FindingsView::cureWanted, this, &ConsequencesView::cureWanted);
    connect(findings_, &FindingsView::fieldWanted, this, &ConsequencesView::fieldWanted);
    connect(findings_, &FindingsView::pageWanted, this, &ConsequencesView::pageWanted);
    return column;
}

void ConsequencesView::refresh() {
    const bool stale = consequences_.stale();
    const jobs::PreviewModel* model = consequences_.model();
    modules_title_->setText(
        model ? tr("Adapted modules · %1 trainable parameters, %2 of %3")
                    .arg(brief(model->trainable_parameters),
                         percent(static_cast<double>(model->trainable_parameters) /
                                     static_cast<double>(std::max<std::int64_t>(1, model->base_parameters)),
                                 2),
                         brief(model->base_parameters))
              : tr("Adapted modules"));
    modules_title_->setToolTip(
        model ? tr("%1 of %2 parameters").arg(count(model->trainable_parameters), count(model->base_parameters))
              : QString());
    diagram_->setModel(model, stale);
    curve_->setRun(consequences_.run(), stale);
    curve_title_->setText(curve_->title());
    lengths_->setRun(consequences_.run(), stale);
    lengths_title_->setText(lengths_->title());
    updating_->setVisible(stale);
    showRun();
    showMemory();
    findings_->setFindings(consequences_.findings());
}

void ConsequencesView::showRun() {
    const bool stale = consequences_.stale(), measuring = consequences_.measuring();
    const Hue hue = stale ? Hue::Faint : Hue::Text;
    const jobs::PreviewRun* run = consequences_.run();
    const auto value = [&](const QString& words) { return run ? words : absent(); };
    std::vector<FactList::Fact> facts;
    const auto add = [&](const QString& name, const QString& words, const QString& tip) {
        facts.push_back({name, words, hue, false, tip});
    };
    const jobs::PreviewRun none;
    const jobs::PreviewRun& r = run ? *run : none;
    add(tr("Conversations"), value(tr("%1 + %2").arg(count(r.conversations), count(r.held_out_conversations))),
        tr("Trained on + held out to measure the loss."));
    if (r.left_out > 0)
        add(tr("Left out"), count(r.left_out),
            tr("They match the filter, but hold no answer to learn from within the longest length."));
    if (run && (r.examples != r.conversations || r.held_out_examples != r.held_out_conversations))
        add(tr("Examples"), tr("%1 + %2").arg(count(r.examples), count(r.held_out_examples)),
            tr("Trained on + held out. One conversation can give several."));
    add(tr("Tokens an epoch"), value(count(r.tokens)), tr("Rows computed in one pass over the training data."));
    add(tr("Supervised tokens"), value(count(r.supervised_tokens)), tr("Of these, the ones the loss counts."));
    if (r.cut_tokens > 0)
        add(tr("Tokens cut"), count(r.cut_tokens), tr("Beyond the maximum length, held-out ones too."));
    add(tr("Steps an epoch"),
        value(number(r.steps_per_epoch, r.steps_per_epoch == std::floor(r.steps_per_epoch) ? 0 : 1)), {});
    add(tr("Steps"), value(count(r.steps)), {});
    add(tr("Warm-up steps"), value(count(r.warmup_steps)), {});
    const std::optional<double> seconds = consequences_.seconds();
    facts.push_back({tr("Time"), seconds && run ? tr("≈ %1").arg(duration(*seconds)) : absent(),
                     stale                                  ? Hue::Faint
                     : seconds && *seconds > jobs::kLongRun ? Hue::Careful
                                                            : Hue::Text,
                     false, tr("From one measured micro-batch, evaluations included.")});
    if (run) {
        const quint64 needed = r.checkpoint_bytes * static_cast<quint64>(r.checkpoints);
        const QString size = r.checkpoints > 1 ? tr("%1 × %2").arg(count(r.checkpoints), bytes(r.checkpoint_bytes))
                                               : bytes(r.checkpoint_bytes);
        add(tr("Checkpoints"), size,
            consequences_.freeBytes() > 0 ? tr("%1 in all, as adapter and optimizer; %2 are free.")
                                                .arg(bytes(needed), bytes(consequences_.freeBytes()))
                                          : tr("%1 in all, as adapter and optimizer.").arg(bytes(needed)));
    } else {
        add(tr("Checkpoints"), absent(), {});
    }
    run_facts_->setFacts(facts);

    const jobs::Measurement* measured = consequences_.measurement();
    busy_->setVisible(measuring);
    measure_line_->setVisible(run && (measuring || !measured));
    measure_->setText(measuring ? tr("Cancel") : tr("Measure"));
    measure_->setAccessibleName(measuring ? tr("Cancel the measurement") : tr("Measure the time of one micro-batch"));
    measure_note_->setText(!measuring ? tr("The time is known once one micro-batch was measured.")
                           : consequences_.measurePhase().isEmpty()
                               ? tr("Measuring one micro-batch…")
                               : tr("Measuring: %1…").arg(consequences_.measurePhase()));
    last_dry_run_->setVisible(measured != nullptr);
    if (measured)
        last_dry_run_->setText(tr("Dry run of the longest batch, %1 rows: loss %2; %3 a step on %4.")
                                   .arg(count(measured->rows), number(measured->loss, 3),
                                        measured->seconds_a_step < 10
                                            ? tr("%1 s").arg(number(measured->seconds_a_step, 2))
                                            : duration(measured->seconds_a_step),
                                        text(measured->device.name)));
}

void ConsequencesView::showMemory() {
    const jobs::Measurement* measured = consequences_.measurement();
    const Hue hue = consequences_.stale() ? Hue::Faint : Hue::Text;
    memory_note_->setHue(Hue::Secondary);
    if (const engine::api::MemoryUse* plan = consequences_.plannedMemory()) {
        PlannedMemory shown = plannedMemory(*plan, hue);
        if (measured && measured->device.kind == "cuda")
            shown.facts.push_back({tr("Measured"), gibFigure(measured->peak_bytes), hue, true,
                                   tr("By the dry run, on the longest batch.")});
        memory_title_->setText(shown.title);
        memory_facts_->setFacts(shown.facts);
        memory_bar_->setParts(shown.parts, shown.whole);
        memory_note_->setText(shown.verdict);
        if (!shown.fits) memory_note_->setHue(Hue::Careful);
        memory_note_->show();
        return;
    }
    const jobs::PreviewModel* model = consequences_.model();
    const quint64 training = model ? model->training_bytes : 0;
    const bool gpu = measured && measured->device.kind == "cuda";
    const quint64 whole = gpu ? measured->device.memory_bytes : machineMemory();
    memory_title_->setText(
        tr("Memory, GiB · %1 in all").arg(number(static_cast<double>(whole) / (1024.0 * 1024 * 1024), 1)));
    std::vector<FactList::Fact> facts;
    facts.push_back({tr("Base model"), measured ? gibFigure(measured->weight_bytes) : absent(), hue, false,
                     tr("Weights in memory, quantised or not.")});
    facts.push_back({tr("Adapter, gradients, AdamW"), model ? gibFigure(training) : absent(), hue, false,
                     tr("Four numbers of 32 bits for each trainable parameter.")});
    facts.push_back({tr("Peak"), measured ? gibFigure(measured->peak_bytes) : absent(), hue, true,
                     tr("Of the program, measured on the longest batch.")});
    memory_facts_->setFacts(facts);
    if (measured) {
        const quint64 known = std::min<quint64>(measured->weight_bytes + training, measured->peak_bytes);
        memory_bar_->setParts(
            {std::min<quint64>(measured->weight_bytes, measured->peak_bytes), training, measured->peak_bytes - known},
            whole);
    } else {
        memory_bar_->setParts({}, whole);
    }
    QStringList note{consequences_.noPlan()};
    if (!measured) note << tr("The peak is measured together with the time.");
    note.removeAll(QString());
    memory_note_->setText(note.join(QLatin1Char(' ')));
    memory_note_->setVisible(!note.isEmpty());
}

void ConsequencesView::setBlocked(const QString& reason, bool aloud) {
    if (aloud || start_error_.isEmpty()) {
        blocked_->setText(aloud ? reason : QString());
        blocked_->setHue(Hue::Secondary);
        blocked_->setVisible(aloud && !reason.isEmpty());
    }
    start_->setEnabled(reason.isEmpty());
    start_->setToolTip(reason.isEmpty()
                           ? tr("Start a run with a copy of this recipe (%1)")
                                 .arg(QKeySequence(QStringLiteral("Ctrl+R")).toString(QKeySequence::NativeText))
                           : reason);
    start_->setAccessibleDescription(reason);
}

// What a value that cannot be used leaves behind is of an earlier recipe, and is seen to be.
void ConsequencesView::setOutdated(bool outdated) {
    if (outdated == (scroll_->widget()->graphicsEffect() != nullptr)) return;
    auto* faded = outdated ? new QGraphicsOpacityEffect : nullptr;
    if (faded) faded->setOpacity(0.35);
    scroll_->widget()->setGraphicsEffect(faded);
    scroll_->setAccessibleDescription(outdated ? tr("Figures of the recipe before") : QString());
}

void ConsequencesView::setDryRunBlocked(const QString& reason) {
    dry_run_->setEnabled(reason.isEmpty());
    dry_run_->setToolTip(reason.isEmpty() ? tr("Real steps on the longest batch; nothing is written.") : reason);
    if (!consequences_.measuring()) {
        measure_->setEnabled(reason.isEmpty());
        measure_->setToolTip(reason);
    } else {
        measure_->setEnabled(true);
    }
}

void ConsequencesView::setStartError(const QString& sentence) {
    start_error_ = sentence;
    blocked_->setHue(Hue::Bad);
    blocked_->setText(sentence);
    blocked_->setVisible(!sentence.isEmpty());
}

void ConsequencesView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    const int character = characterWidth(font());
    const bool wide = width() >= character * 80;
    const bool roomy = width() >= character * 112;
    figures_->setMinimumWidth(0);
    figures_->setMaximumWidth(wide ? character * (roomy ? 44 : 35) : QWIDGETSIZE_MAX);
    if (wide) figures_->setMinimumWidth(character * (roomy ? 40 : 35));
    columns_->setDirection(wide ? QBoxLayout::LeftToRight : QBoxLayout::BottomToTop);
    columns_->setSpacing(roomy ? 6 * kSpace : 4 * kSpace);
    columns_->setStretch(0, wide ? 1 : 0);
}

}  // namespace studio::ui
