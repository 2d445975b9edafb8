#include "ui/recipe/field_row.h"

#include <QApplication>
#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QVBoxLayout>

#include "config/recipe_file.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/flow_layout.h"

namespace studio::ui {
namespace {

constexpr int kTypingPause = 300;  // ms; then what was typed counts

// The message speaks to a command line; the field stands above it here.
QString sentenceOf(const Error& error) {
    QString message = text(error.message);
    if (message.startsWith(QLatin1String("--set: "))) message.remove(0, 7);
    return joined(message, text(error.hint));
}

// A link's words stand in line with what is above them, its focus ring a little outside.
QHBoxLayout* flushLeft(LinkButton* link) {
    auto* line = new QHBoxLayout;
    line->addSpacing(-kSpace);
    line->addWidget(link);
    line->addStretch();
    return line;
}

// A cross or triangle before the sentence under a field.
class Mark final : public QWidget {
  public:
    explicit Mark(QWidget* parent) : QWidget(parent) {
        const int size = QFontMetrics(secondaryFont(font())).height();
        setFixedSize(size, size);
    }
    void setCareful(bool careful) {
        careful_ = careful;
        update();
    }

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        drawGlyph(painter, careful_ ? Glyph::Careful : Glyph::Cross, QRectF(rect()).adjusted(2, 2, -2, -2),
                  colour(careful_ ? Hue::Careful : Hue::Bad, this));
    }

  private:
    bool careful_ = false;
};

}  // namespace

// The label; bold where the value differs from the preset.
class FieldName final : public QLabel {
  public:
    FieldName(const QString& words, QWidget* parent) : QLabel(words, parent) { setTextFormat(Qt::PlainText); }
    void setStrong(bool strong) {
        if (strong_ == strong) return;
        strong_ = strong;
        restyle();
    }
    int boldWidth() const { return QFontMetrics(strongFont(QApplication::font())).horizontalAdvance(text()); }

  protected:
    void changeEvent(QEvent* event) override {
        QLabel::changeEvent(event);
        if (event->type() == QEvent::ApplicationFontChange) restyle();
    }

  private:
    void restyle() { setFont(strong_ ? strongFont(QApplication::font()) : QApplication::font()); }
    bool strong_ = false;
};

FieldRow::FieldRow(const config::Field& field, RecipeDocument& document, const QString& project_folder, QWidget* parent)
    : QWidget(parent),
      field_(field),
      document_(document),
      label_(new FieldName(fieldLabel(field.key), this)),
      control_(FieldControl::make(field, project_folder, this)),
      revert_(new LinkButton(QString(), this)),
      error_line_(new QWidget(this)),
      error_text_(new Text(Text::Kind::Secondary, {}, error_line_)) {
    setObjectName(text(field.key));
    const FieldShape shape = shapeOf(field_);
    label_->setBuddy(control_->entry());
    label_->setFixedHeight(controlHeight(font()));
    label_->setToolTip(text(field.key));
    control_->setName(fieldLabel(field.key));
    control_->entry()->setAccessibleDescription(text(field.help));
    control_->entry()->installEventFilter(this);
    for (QWidget* part : control_->findChildren<QWidget*>()) part->installEventFilter(this);

    const bool narrow = shape == FieldShape::Number || shape == FieldShape::Check || shape == FieldShape::Choice;

    auto* wrong = new QHBoxLayout(error_line_);
    wrong->setContentsMargins(0, 0, 0, 0);
    wrong->setSpacing(kSpace);
    auto* mark = new Mark(error_line_);
    mark->setObjectName(QStringLiteral("mark"));
    wrong->addWidget(mark, 0, Qt::AlignTop);
    wrong->addWidget(error_text_, 1);
    error_text_->setWordWrap(true);
    error_text_->setMinimumWidth(1);  // it takes what the control has
    error_line_->hide();
    revert_->hide();

    column_ = new QVBoxLayout;
    column_->setSpacing(kSpace);
    if (narrow) {
        auto* row = new FlowLayout(2 * kSpace);
        if (field.unit.empty()) {
            row->addWidget(control_);
        } else {
            auto* measured = new QWidget(this);
            auto* both = new QHBoxLayout(measured);
            both->setContentsMargins(0, 0, 0, 0);
            both->setSpacing(2 * kSpace);
            both->addWidget(control_);
            both->addWidget(new Text(Text::Kind::Secondary, text(field.unit), measured));
            row->addWidget(measured);
        }
        row->addWidget(revert_);
        column_->addLayout(row);
    } else {
        column_->addWidget(control_);
        column_->addLayout(flushLeft(revert_));  // beside a wide control there is no room
    }
    column_->addWidget(error_line_);
    layout_ = new QBoxLayout(QBoxLayout::LeftToRight, this);
    layout_->setContentsMargins(0, 0, 0, 0);
    layout_->setSpacing(3 * kSpace);
    layout_->addWidget(label_, 0, Qt::AlignTop);
    layout_->addLayout(column_, 1);

    typing_.setSingleShot(true);
    typing_.setInterval(kTypingPause);
    connect(&typing_, &QTimer::timeout, this, &FieldRow::take);
    connect(control_, &FieldControl::edited, this, [this] {
        typed_ = true;
        typing_.start();
        const auto problem = problemOf(control_->text());
        unusable_ = problem.has_value();
        control_->setWrong(unusable_);
        if (problem) showError(sentenceOf(*problem), false);
        if (!problem && !error_.isEmpty()) showError({}, false);
        Q_EMIT stateChanged();
    });
    connect(control_, &FieldControl::committed, this, [this] {
        typed_ = true;
        take();
    });
    connect(revert_, &QToolButton::clicked, this, [this] {
        typed_ = unusable_ = false;
        const auto value = config::valueText(document_.reference(), field_.key);
        if (value) (void)document_.set(field_.key, *value);
        refresh();
        giveFocus();
    });
}

int FieldRow::labelWidth() const {
    return label_->boldWidth();
}

int FieldRow::controlWidth() const {
    return column_->minimumSize().width();
}

void FieldRow::arrange(bool narrow, int label_width) {
    const bool below = narrow && shapeOf(field_) != FieldShape::Check;  // a box to tick fits anywhere
    layout_->setDirection(below ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
    layout_->setSpacing(below ? 0 : 3 * kSpace);
    label_->setFixedWidth(label_width);
}

void FieldRow::addBelow(QWidget* widget) {
    // Behind the control and the way back to the preset.
    const int place = column_->indexOf(error_line_);
    if (auto* link = qobject_cast<LinkButton*>(widget))
        column_->insertLayout(place, flushLeft(link));
    else
        column_->insertWidget(place, widget);
}

void FieldRow::giveFocus() {
    control_->entry()->setFocus(Qt::OtherFocusReason);
}

bool FieldRow::matches(const QString& words) const {
    return fieldLabel(field_.key).contains(words, Qt::CaseInsensitive) ||
           text(field_.key).contains(words, Qt::CaseInsensitive);
}

std::optional<Error> FieldRow::problemOf(const QString& edited) const {
    config::Recipe trial = document_.recipe();
    if (auto ok = config::setFromText(trial, field_.key, fileText(field_, edited)); !ok) return ok.error();
    return std::nullopt;
}

void FieldRow::commit() {
    if (typing_.isActive()) take();
}

void FieldRow::discard() {
    typing_.stop();
    const bool was_unusable = unusable_;
    typed_ = unusable_ = false;
    refresh();
    if (was_unusable) Q_EMIT stateChanged();
}

void FieldRow::take() {
    typing_.stop();
    if (!typed_) return;
    const auto taken = document_.set(field_.key, fileText(field_, control_->text()));
    const bool was_unusable = unusable_;
    unusable_ = !taken;
    if (taken) {
        typed_ = false;
        refresh();
        if (was_unusable) Q_EMIT stateChanged();
    } else {
        control_->setWrong(true);
        showError(sentenceOf(taken.error()), false);
        Q_EMIT stateChanged();
    }
}

void FieldRow::refresh() {
    const bool differed = differs_, was_unusable = unusable_;
    const QString had = error_;
    const auto value = config::valueText(document_.recipe(), field_.key);
    const auto preset = config::valueText(document_.reference(), field_.key);
    differs_ = value && preset && *value != *preset;
    label_->setStrong(differs_);
    revert_->setVisible(differs_);
    if (differs_) {
        const QString was = shortText(field_, document_.reference());
        revert_->setText(tr("was %1 ⟲").arg(was.size() > 14 ? was.left(13) + QStringLiteral("…") : was));
        revert_->setToolTip(tr("Back to the preset's value: %1").arg(was));
        revert_->setAccessibleName(tr("%1: back to the preset's value %2").arg(fieldLabel(field_.key), was));
    }
    if (unusable_ && typed_) return control_->setWrong(true);  // in the theme's own red
    if (!typing_.isActive()) control_->setText(editText(field_, document_.recipe()));
    unusable_ = false;
    QString sentence;
    bool careful = false;
    for (const config::FieldIssue& issue : document_.issues()) {
        if (issue.key != field_.key || issue.severity == config::Severity::Notice) continue;
        if (!sentence.isEmpty() && issue.severity == config::Severity::Warning) continue;
        careful = issue.severity == config::Severity::Warning;
        sentence = joined(text(issue.message), text(issue.hint));
        if (!careful) break;
    }
    control_->setWrong(!sentence.isEmpty() && !careful);
    showError(sentence, careful);
    if (differed != differs_ || was_unusable != unusable_ || had != error_) Q_EMIT stateChanged();
}

void FieldRow::showError(const QString& sentence, bool careful) {
    error_ = careful ? QString() : sentence;
    error_line_->setVisible(!sentence.isEmpty());
    error_text_->setText(sentence);
    error_text_->setHue(careful ? Hue::Careful : Hue::Bad);
    static_cast<Mark*>(error_line_->findChild<QWidget*>(QStringLiteral("mark")))->setCareful(careful);
}

bool FieldRow::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::FocusIn) Q_EMIT focused();
    // Ctrl+Z is the recipe's, not the line's.
    if (event->type() == QEvent::ShortcutOverride) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (key->matches(QKeySequence::Undo) || key->matches(QKeySequence::Redo)) {
            event->ignore();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace studio::ui
