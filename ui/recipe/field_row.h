// One field of the form: label, control, unit, what it was in the preset, and what is wrong with it.
#pragma once

#include <QTimer>
#include <QWidget>
#include <optional>

#include "ui/recipe/field_control.h"
#include "ui/session/recipe_document.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

class FieldName;

class FieldRow : public QWidget {
    Q_OBJECT
  public:
    FieldRow(const config::Field& field, RecipeDocument& document, const QString& project_folder, QWidget* parent);

    const config::Field& field() const { return field_; }
    FieldControl* control() const { return control_; }
    // Takes value, difference and issue from the document. A text that is no value stays, with its error.
    void refresh();
    void commit();   // what was typed and waits
    void discard();  // what was typed and is no value
    bool differs() const { return differs_; }
    QString error() const { return error_; }     // sentence; empty: none
    bool unusable() const { return unusable_; }  // the text in the control is no value of the field
    bool matches(const QString& words) const;    // label, key or help
    // The control beside its label or, where the form is narrow, below it.
    void arrange(bool narrow, int label_width);
    int labelWidth() const;          // that its words need
    int controlWidth() const;        // the least that what stands beside or below the label needs
    void addBelow(QWidget* widget);  // under the control
    void giveFocus();

  Q_SIGNALS:
    void focused();
    void stateChanged();  // error or difference

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void take();
    void showError(const QString& sentence, bool careful);
    std::optional<Error> problemOf(const QString& text) const;

    const config::Field field_;
    RecipeDocument& document_;
    FieldName* label_;
    FieldControl* control_;
    LinkButton* revert_;
    QWidget* error_line_;
    Text* error_text_;
    class QVBoxLayout* column_;
    class QBoxLayout* layout_;
    QTimer typing_;
    QString error_;
    bool differs_ = false, unusable_ = false, typed_ = false;
};

}  // namespace studio::ui
