#include "ui/recipe/field_control.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QFontMetrics>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QVBoxLayout>

#include "config/recipe_file.h"
#include "ui/look/colours.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/recipe/data_control.h"
#include "ui/recipe/modules_control.h"

namespace studio::ui {
namespace {

QHBoxLayout* bare(QWidget* owner) {
    auto* layout = new QHBoxLayout(owner);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2 * kSpace);
    return layout;
}

class CheckControl final : public FieldControl {
  public:
    explicit CheckControl(QWidget* parent) : FieldControl(parent), box_(new QCheckBox(this)) {
        bare(this)->addWidget(box_);
        box_->setMinimumHeight(controlHeight(font()));
        connect(box_, &QCheckBox::toggled, this, [this](bool on) { box_->setText(on ? tr("on") : tr("off")); });
        connect(box_, &QCheckBox::clicked, this, [this] { Q_EMIT committed(); });
        box_->setText(tr("off"));
    }
    void setText(const QString& text) override { box_->setChecked(text == QLatin1String("true")); }
    QString text() const override { return box_->isChecked() ? QStringLiteral("true") : QStringLiteral("false"); }
    QWidget* entry() const override { return box_; }

  private:
    QCheckBox* box_;
};

class ChoiceControl final : public FieldControl {
  public:
    ChoiceControl(const config::Field& field, QWidget* parent) : FieldControl(parent), box_(new QComboBox(this)) {
        for (const config::Choice& choice : field.choices) add(ui::text(choice.value), ui::text(choice.meaning));
        own_ = box_->count();
        bare(this)->addWidget(box_);
        fit();
        passWheel(box_);
        connect(box_, &QComboBox::activated, this, [this] { Q_EMIT committed(); });
        connect(box_, &QComboBox::currentIndexChanged, this,
                [this](int index) { box_->setToolTip(box_->itemData(index, Qt::ToolTipRole).toString()); });
    }
    void setText(const QString& text) override {
        int index = box_->findData(text);
        if (index < 0) {
            add(text, {});  // from a file; its error stands below
            index = box_->count() - 1;
        }
        box_->setCurrentIndex(index);
    }
    QString text() const override { return box_->currentData().toString(); }
    void offer(const std::vector<Offer>& offers) override {
        if (offers == offers_) return;
        offers_ = offers;
        const QString now = text();
        while (box_->count() > own_) box_->removeItem(own_);
        for (const Offer& offer : offers) {
            add(offer.value, offer.shown);
            box_->setItemText(box_->count() - 1, offer.shown);
        }
        setText(now);
        fit();
    }
    QWidget* entry() const override { return box_; }

  private:
    // A card with a long name does not make the form wider; its tool tip says the whole.
    void fit() { box_->setMinimumWidth(std::min(box_->sizeHint().width(), 24 * characterWidth(font()))); }
    void add(const QString& value, const QString& meaning) {
        box_->addItem(value, value);
        if (!meaning.isEmpty()) box_->setItemData(box_->count() - 1, meaning, Qt::ToolTipRole);
    }

    QComboBox* box_;
    int own_ = 0;  // the field's own choices come first
    std::vector<Offer> offers_;
};

class LineControl final : public FieldControl {
  public:
    LineControl(const config::Field& field, FieldShape shape, QWidget* parent)
        : FieldControl(parent), field_(field), edit_(new QLineEdit(this)) {
        auto* layout = bare(this);
        layout->addWidget(edit_);
        edit_->setPlaceholderText(meaningOfNothing(field));
        if (shape == FieldShape::Number) {
            const int digits = QFontMetrics(font()).horizontalAdvance(QStringLiteral("0000000000000"));
            const int words = QFontMetrics(font()).horizontalAdvance(edit_->placeholderText() + QStringLiteral("000"));
            edit_->setFixedWidth(std::max(digits, words));
            layout->addStretch();
        }
        connect(edit_, &QLineEdit::textEdited, this, [this] { Q_EMIT edited(); });
        connect(edit_, &QLineEdit::editingFinished, this, [this] { Q_EMIT committed(); });
    }
    void setText(const QString& text) override {
        // "1e-5" stays as it was typed although the file has 1.0e-5.
        if (!edit_->text().isEmpty() && fileText(field_, edit_->text()) == fileText(field_, text)) return;
        config::Recipe typed, given;
        if (edit_->isModified() && config::setFromText(typed, field_.key, fileText(field_, edit_->text())) &&
            config::setFromText(given, field_.key, fileText(field_, text)) && typed == given)
            return;
        const int cursor = edit_->cursorPosition();
        edit_->setText(text);
        edit_->setCursorPosition(edit_->hasFocus() ? std::min<int>(cursor, static_cast<int>(text.size())) : 0);
    }
    QString text() const override { return edit_->text(); }
    QWidget* entry() const override { return edit_; }
    void setWrong(bool wrong) override {
        QPalette changed;  // only this one colour; the rest follows the theme
        if (wrong) changed.setColor(QPalette::Text, colour(Hue::Bad, QApplication::palette()));
        edit_->setPalette(changed);
    }

  private:
    const config::Field field_;
    QLineEdit* edit_;
};

class LinesControl final : public FieldControl {
  public:
    LinesControl(const config::Field& field, QWidget* parent) : FieldControl(parent), edit_(new QPlainTextEdit(this)) {
        bare(this)->addWidget(edit_);
        edit_->setPlaceholderText(meaningOfNothing(field).isEmpty() ? tr("none; one a line") : meaningOfNothing(field));
        edit_->setTabChangesFocus(true);
        edit_->setFixedHeight(3 * QFontMetrics(font()).lineSpacing() + 5 * kSpace);
        edit_->setLineWrapMode(QPlainTextEdit::NoWrap);
        edit_->installEventFilter(this);
        connect(edit_, &QPlainTextEdit::textChanged, this, [this] {
            if (!showing_) Q_EMIT edited();
        });
    }
    void setText(const QString& text) override {
        if (exactText(edit_) == text) return;
        showing_ = true;
        edit_->setPlainText(text);
        showing_ = false;
    }
    QString text() const override { return exactText(edit_); }
    QWidget* entry() const override { return edit_; }

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (watched == edit_ && event->type() == QEvent::FocusOut) Q_EMIT committed();
        return FieldControl::eventFilter(watched, event);
    }

  private:
    QPlainTextEdit* edit_;
    bool showing_ = false;
};

}  // namespace

FieldControl* FieldControl::make(const config::Field& field, const QString& project_folder, QWidget* parent) {
    switch (const FieldShape shape = shapeOf(field)) {
        case FieldShape::Check:
            return new CheckControl(parent);
        case FieldShape::Choice:
            return new ChoiceControl(field, parent);
        case FieldShape::Lines:
            return new LinesControl(field, parent);
        case FieldShape::Data:
            return new DataControl(project_folder, parent);
        case FieldShape::Modules:
            return new ModulesControl(field.key == "exclude_modules", parent);
        default:
            return new LineControl(field, shape, parent);
    }
}

void FieldControl::setName(const QString& name) {
    for (QWidget* part : findChildren<QWidget*>())
        if (part->focusPolicy() != Qt::NoFocus && part->accessibleName().isEmpty()) part->setAccessibleName(name);
}

bool FieldControl::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Wheel && watched->property("passesWheel").toBool()) {
        event->ignore();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

QString FieldControl::exactText(const QPlainTextEdit* edit) {
    return edit->document()->toRawText().replace(QChar(QChar::ParagraphSeparator), QLatin1Char('\n'));
}

void FieldControl::passWheel(QWidget* widget) {
    widget->setProperty("passesWheel", true);
    widget->installEventFilter(this);
}

}  // namespace studio::ui
