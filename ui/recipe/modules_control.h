// Which linears get an adapter: all, PEFT's choice, named ones, or an expression.
#pragma once

#include "ui/recipe/field_control.h"

class QCheckBox;
class QComboBox;
class QLineEdit;

namespace studio::ui {

class ModulesControl final : public FieldControl {
    Q_OBJECT
  public:
    // `excluded`: for exclude_modules, where nothing given means none.
    ModulesControl(bool excluded, QWidget* parent);
    void setText(const QString& text) override;  // as in the file: null, "all-linear", ["q_proj", "v_proj"]
    QString text() const override;
    QWidget* entry() const override;

  private:
    enum Mode { All, NotGiven, Names, Expression };
    void showMode();
    Mode mode() const;

    QString given_;  // as the file has it, order and all, until something is changed here
    bool touched_ = false;
    QComboBox* mode_;
    QWidget* names_;
    std::vector<QCheckBox*> boxes_;
    QLineEdit* others_;
    QLineEdit* expression_;
};

}  // namespace studio::ui
