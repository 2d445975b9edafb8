// The recipe as its two files, to read and to copy.
#pragma once

#include <QWidget>

#include "ui/session/recipe_document.h"

class QPlainTextEdit;

namespace studio::ui {

class TextView : public QWidget {
    Q_OBJECT
  public:
    TextView(RecipeDocument& document, QWidget* parent);
    void refresh();

  protected:
    void changeEvent(QEvent* event) override;

  private:
    QPlainTextEdit* add(class QVBoxLayout* layout, const QString& name, int stretch);
    RecipeDocument& document_;
    QPlainTextEdit *training_, *qlora_;
};

}  // namespace studio::ui
