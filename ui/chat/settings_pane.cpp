#include "ui/chat/settings_pane.h"

#include <QApplication>
#include <QClipboard>
#include <QGridLayout>
#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>
#include <QVBoxLayout>
#include <QWheelEvent>
#include <cmath>

#include "ui/chat/text_blocks.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/safe_text.h"

namespace studio::ui {
namespace {

// A slider that the wheel moves only with the focus.
class QuietSlider final : public QSlider {
  public:
    QuietSlider() : QSlider(Qt::Horizontal) { setFocusPolicy(Qt::StrongFocus); }

  protected:
    void wheelEvent(QWheelEvent* event) override {
        if (hasFocus())
            QSlider::wheelEvent(event);
        else
            event->ignore();
    }
};

constexpr double kMostSeed = 4294967295.0;

}  // namespace

SettingSpin::SettingSpin(QWidget* parent) : QDoubleSpinBox(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setAlignment(Qt::AlignRight);
    setButtonSymbols(QAbstractSpinBox::NoButtons);
    setKeyboardTracking(false);
}

void SettingSpin::setOff(double value, const QString& words) {
    off_ = value;
    off_words_ = words;
}

QString SettingSpin::textFromValue(double value) const {
    return !off_words_.isEmpty() && qAbs(value - off_) < 1e-9 ? off_words_ : number(value, decimals());
}

double SettingSpin::valueFromText(const QString& text) const {
    if (!off_words_.isEmpty() && text.trimmed().compare(off_words_, Qt::CaseInsensitive) == 0) return off_;
    return QDoubleSpinBox::valueFromText(text);
}

QValidator::State SettingSpin::validate(QString& text, int& position) const {
    if (!off_words_.isEmpty() && off_words_.startsWith(text.trimmed(), Qt::CaseInsensitive))
        return text.trimmed().size() == off_words_.size() ? QValidator::Acceptable : QValidator::Intermediate;
    return QDoubleSpinBox::validate(text, position);
}

void SettingSpin::wheelEvent(QWheelEvent* event) {
    if (hasFocus())
        QDoubleSpinBox::wheelEvent(event);
    else
        event->ignore();
}

ContextBar::ContextBar(QWidget* parent) : QWidget(parent) {
    setFixedHeight(6);
}

void ContextBar::set(int used, int reserved, int whole) {
    used_ = used;
    reserved_ = reserved;
    whole_ = whole;
    update();
}

void ContextBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), colour(Hue::Line, this));
    if (whole_ <= 0) return;
    const auto x = [&](int tokens) { return static_cast<int>(double(width()) * std::min(tokens, whole_) / whole_); };
    painter.fillRect(QRect(0, 0, x(used_ + reserved_), height()), colour(Hue::BarFaint, this));
    painter.fillRect(QRect(0, 0, std::max(used_ > 0 ? 2 : 0, x(used_)), height()),
                     colour(used_ + reserved_ > whole_ ? Hue::Careful : Hue::Accent, this));
}

ChatSettingsPane::ChatSettingsPane(QWidget* parent)
    : QScrollArea(parent),
      bar_(new ContextBar),
      context_(new Text(Text::Kind::Secondary)),
      template_(new Text(Text::Kind::Secondary)),
      careful_(new Text(Text::Kind::Secondary)),
      system_(new QPlainTextEdit),
      sent_(new QPlainTextEdit) {
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    auto* inner = new QWidget;
    inner->setAutoFillBackground(false);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(3 * kSpace, 3 * kSpace, 3 * kSpace, 3 * kSpace);
    column->setSpacing(kSpace + 2);
    const auto section = [&](const QString& title) {
        auto* label = new Text(Text::Kind::Section, title);
        if (column->count() > 0) column->addSpacing(2 * kSpace);
        column->addWidget(label);
        return label;
    };

    section(tr("Context"));
    column->addWidget(bar_);
    for (Text* label : {context_, template_, careful_}) {
        label->setWordWrap(true);
        column->addWidget(label);
    }
    careful_->setHue(Hue::Careful);
    careful_->hide();

    auto* system_label = section(tr("System prompt"));
    system_->setAccessibleName(tr("System prompt"));
    system_->setPlaceholderText(tr("none"));
    system_->setTabChangesFocus(true);
    system_->setFixedHeight(3 * fontMetrics().lineSpacing() + 3 * kSpace);
    system_label->setBuddy(system_);
    column->addWidget(system_);
    connect(system_, &QPlainTextEdit::textChanged, this, &ChatSettingsPane::collect);

    section(tr("Sampling"));
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(2 * kSpace);
    grid->setVerticalSpacing(kSpace);
    grid->setColumnStretch(1, 1);
    temperature_ = addRow(grid, tr("Temperature"), tr("0 always takes the likeliest token"), 0, 2, 0.05, 2, true);
    temperature_.spin->setOff(0, tr("greedy"));
    top_p_ = addRow(grid, tr("Top-p"), tr("Only the likeliest tokens that together have this probability"), 0.01, 1,
                    0.01, 2, true);
    top_p_.spin->setOff(1, tr("off"));
    top_k_ = addRow(grid, tr("Top-k"), tr("Only this many of the likeliest tokens"), 0, 200, 1, 0, true);
    top_k_.spin->setOff(0, tr("off"));
    repetition_ =
        addRow(grid, tr("Repetition"), tr("Makes tokens that stand in the text less likely"), 1, 2, 0.05, 2, true);
    repetition_.spin->setOff(1, tr("off"));
    maximum_ = addRow(grid, tr("Maximum"), tr("New tokens of an answer, at most"), 16, 2048, 16, 0, true);
    maximum_.spin->setMinimum(1);
    seed_ = addRow(grid, tr("Seed"), tr("The same seed and settings give the same answer; Regenerate counts on"), 0,
                   kMostSeed, 1, 0, false);
    column->addLayout(grid);

    auto* sent_label = section(tr("Sent to the model"));
    sent_label->setBuddy(sent_);
    sent_->setReadOnly(true);
    sent_->setAccessibleName(tr("Sent to the model"));
    sent_->setFont(codeFont(font()));
    sent_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    sent_->setTabChangesFocus(true);
    sent_->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    column->addWidget(sent_);
    auto* copy = new LinkButton(tr("Copy"));
    copy->setAccessibleName(tr("Copy what is sent to the model"));
    connect(copy, &QToolButton::clicked, this, [this] {
        QString all;
        for (const PromptPart& part : measure_.parts) all += part.text;
        QApplication::clipboard()->setText(all);
    });
    column->addWidget(copy, 0, Qt::AlignLeft);
    column->addStretch(1);
    setWidget(inner);
    setSettings({});
    setMeasure({}, 256);
}

QSize ChatSettingsPane::sizeHint() const {
    return {34 * characterWidth(font()), 400};
}

QSize ChatSettingsPane::minimumSizeHint() const {
    const int content = widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width();
    return {std::max(30 * characterWidth(font()), content), QScrollArea::minimumSizeHint().height()};
}

ChatSettingsPane::Row ChatSettingsPane::addRow(QGridLayout* grid, const QString& label, const QString& tip, double low,
                                               double high, double step, int decimals, bool slider) {
    Row row;
    const int y = grid->rowCount();
    auto* name = new Text(Text::Kind::Body, label);
    name->setToolTip(tip);
    grid->addWidget(name, y, 0);
    row.spin = new SettingSpin;
    row.spin->setDecimals(decimals);
    row.spin->setRange(low, high);
    row.spin->setSingleStep(step);
    row.spin->setAccessibleName(label);
    row.spin->setToolTip(tip);
    row.spin->setFixedWidth((slider ? 9 : 14) * characterWidth(font()) + 2 * kSpace);
    name->setBuddy(row.spin);
    if (slider) {
        row.slider = new QuietSlider;
        row.slider->setRange(0, qRound((high - low) / step));
        row.slider->setAccessibleName(tr("%1, slider").arg(label));
        row.slider->setToolTip(tip);
        grid->addWidget(row.slider, y, 1);
        connect(row.slider, &QSlider::valueChanged, this, [this, spin = row.spin, low, step](int value) {
            if (!setting_) spin->setValue(low + value * step);
        });
    }
    grid->addWidget(row.spin, y, slider ? 2 : 1, 1, slider ? 1 : 2, Qt::AlignRight);
    connect(row.spin, &QDoubleSpinBox::valueChanged, this, [this, slider = row.slider, low, step](double value) {
        if (slider) {
            const QSignalBlocker quiet(slider);
            slider->setValue(qRound((value - low) / step));
        }
        collect();
    });
    return row;
}

void ChatSettingsPane::setSettings(const project::ChatSettings& settings) {
    setting_ = true;
    settings_ = settings;
    if (utf8(system_->toPlainText()) != settings.system) system_->setPlainText(text(settings.system));
    temperature_.spin->setValue(settings.temperature);
    top_p_.spin->setValue(settings.top_p);
    top_k_.spin->setValue(settings.top_k);
    repetition_.spin->setValue(settings.repetition);
    maximum_.spin->setValue(settings.max_new_tokens);
    seed_.spin->setValue(static_cast<double>(settings.seed));
    setting_ = false;
}

void ChatSettingsPane::collect() {
    if (setting_) return;
    settings_.system = utf8(system_->toPlainText());
    settings_.temperature = temperature_.spin->value();
    settings_.top_p = top_p_.spin->value();
    settings_.top_k = qRound(top_k_.spin->value());
    settings_.repetition = repetition_.spin->value();
    settings_.max_new_tokens = qRound(maximum_.spin->value());
    settings_.seed = static_cast<std::uint64_t>(seed_.spin->value());
    Q_EMIT edited(settings_);
}

void ChatSettingsPane::setMeasure(const PromptMeasure& measure, int max_new_tokens) {
    measure_ = measure;
    bar_->set(measure.tokens, max_new_tokens, measure.context);
    context_->setText(measure.context > 0
                          ? tr("%1 of %2 tokens").arg(number(qint64(measure.tokens)), number(qint64(measure.context)))
                          : absent());
    context_->setToolTip(tr("The lighter part is kept for the answer."));
    template_->setText(measure.template_name.isEmpty() ? QString() : tr("Template: %1").arg(measure.template_name));
    template_->setVisible(!measure.template_name.isEmpty());
    QString careful;
    if (measure.error)
        careful = text(measure.error->text());
    else if (measure.dropped_turns > 0)
        careful = tr("The oldest %n turn(s) no longer fit and are left out.", nullptr, measure.dropped_turns);
    careful_->setText(careful.isEmpty() ? QString() : tr("⚠ %1").arg(careful));
    careful_->setVisible(!careful.isEmpty());
    showSent();
}

void ChatSettingsPane::showSent() {
    sent_->clear();
    QTextCursor cursor(sent_->document());
    QTextCharFormat marker, words, end;
    marker.setForeground(colour(Hue::Secondary, this));
    words.setForeground(colour(Hue::Text, this));
    end.setForeground(colour(Hue::Validation, this));
    end.setFontWeight(QFont::Bold);
    constexpr qsizetype kShown = 20000;
    qsizetype shown = 0;
    for (const PromptPart& part : measure_.parts) {
        if (shown > kShown) {
            cursor.insertText(QStringLiteral("…"), words);
            break;
        }
        shown += part.text.size();
        cursor.insertText(visibleText(part.text.left(kShown)), part.end                              ? end
                                                               : part.kind == text::SpanKind::Marker ? marker
                                                                                                     : words);
    }
    fitSent();
}

// As high as its text, so that the pane is scrolled and not the text in it; very long texts scroll by themselves.
void ChatSettingsPane::fitSent() {
    const int line = QFontMetrics(sent_->font()).lineSpacing();
    const int lines = static_cast<int>(sent_->document()->size().height());
    sent_->setFixedHeight(std::clamp(lines, 3, 24) * line + 2 * static_cast<int>(sent_->document()->documentMargin()) +
                          4);
    sent_->setVerticalScrollBarPolicy(lines > 24 ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
}

void ChatSettingsPane::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    if (sent_) fitSent();
}

void ChatSettingsPane::changeEvent(QEvent* event) {
    QScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && sent_) showSent();
    if (event->type() == QEvent::FontChange && sent_) sent_->setFont(codeFont(font()));
}

}  // namespace studio::ui
