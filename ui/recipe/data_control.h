// Where the conversations come from: the project itself, or files and folders.
#pragma once

#include "ui/recipe/field_control.h"

class QComboBox;
class QPlainTextEdit;

namespace studio::ui {

class DataControl final : public FieldControl {
    Q_OBJECT
  public:
    DataControl(const QString& project_folder, QWidget* parent);
    void setText(const QString& text) override;
    QString text() const override;
    QWidget* entry() const override;

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    QString project_folder_;
    QComboBox* source_;
    QPlainTextEdit* paths_;
    bool showing_ = false;
};

}  // namespace studio::ui
