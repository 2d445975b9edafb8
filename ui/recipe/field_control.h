// The control of one field: shows a text, is edited, says its text.
#pragma once

#include <QWidget>
#include <functional>

#include "ui/recipe/field_text.h"

namespace studio::ui {

class FieldControl : public QWidget {
    Q_OBJECT
  public:
    // `project_folder`: what "this project" stands for in the data field.
    static FieldControl* make(const config::Field& field, const QString& project_folder, QWidget* parent);

    // As editText() gives it. A control that already says the same keeps what was typed.
    virtual void setText(const QString& text) = 0;
    virtual QString text() const = 0;
    // Where the keyboard goes, and the label's buddy.
    virtual QWidget* entry() const = 0;
    // Values beside the field's own, each as it is shown.
    struct Offer {
        QString value, shown;
        bool operator==(const Offer&) const = default;
    };
    virtual void offer(const std::vector<Offer>& offers) { (void)offers; }
    virtual void setWrong(bool wrong) { (void)wrong; }
    void setName(const QString& name);  // for screen readers, of every part

  Q_SIGNALS:
    void edited();     // on every keystroke
    void committed();  // a choice was made, Enter, or the keyboard left

  protected:
    explicit FieldControl(QWidget* parent) : QWidget(parent) {}
    // Everything the pointer's wheel could change lets it pass to the form.
    bool eventFilter(QObject* watched, QEvent* event) override;
    void passWheel(QWidget* widget);
    // Every character as it is; toPlainText() would turn hard spaces and line separators into others.
    static QString exactText(const class QPlainTextEdit* edit);
};

}  // namespace studio::ui
