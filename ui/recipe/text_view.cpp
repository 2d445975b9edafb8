#include "ui/recipe/text_view.h"

#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QVBoxLayout>

#include "config/recipe_file.h"
#include "ui/look/format.h"
#include "ui/look/type.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

TextView::TextView(RecipeDocument& document, QWidget* parent) : QWidget(parent), document_(document) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(4 * kSpace, 3 * kSpace, 4 * kSpace, 4 * kSpace);
    layout->setSpacing(kSpace);
    training_ = add(layout, QStringLiteral("training_config.yaml"), 3);
    layout->addSpacing(2 * kSpace);
    qlora_ = add(layout, QStringLiteral("qlora_config.json"), 2);
}

QPlainTextEdit* TextView::add(QVBoxLayout* layout, const QString& name, int stretch) {
    auto* head = new QHBoxLayout;
    head->addWidget(new Text(Text::Kind::Strong, name, this));
    head->addStretch();
    auto* copy = new LinkButton(tr("Copy"), this);
    copy->setAccessibleName(tr("Copy %1").arg(name));
    head->addWidget(copy);
    layout->addLayout(head);
    auto* edit = new QPlainTextEdit(this);
    edit->setReadOnly(true);
    edit->setLineWrapMode(QPlainTextEdit::NoWrap);
    edit->setTabChangesFocus(true);
    edit->setFont(codeFont(font()));
    edit->setAccessibleName(name);
    edit->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    layout->addWidget(edit, stretch);
    connect(copy, &QToolButton::clicked, this, [edit] { QApplication::clipboard()->setText(edit->toPlainText()); });
    return edit;
}

void TextView::refresh() {
    const auto show = [](QPlainTextEdit* edit, const QString& words) {
        if (edit->toPlainText() == words) return;
        const int at = edit->verticalScrollBar()->value();
        edit->setPlainText(words);
        edit->verticalScrollBar()->setValue(at);
    };
    show(training_, text(config::formatTrainingConfig(document_.recipe())));
    show(qlora_, text(config::formatQloraConfig(document_.recipe().qlora)));
}

void TextView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::ApplicationFontChange)
        for (QPlainTextEdit* edit : {training_, qlora_}) edit->setFont(codeFont(QApplication::font()));
}

}  // namespace studio::ui
