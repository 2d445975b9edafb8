#include "ui/recipe/modules_control.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include "config/recipe_file.h"
#include "config/scalar.h"
#include "config/target_modules.h"
#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {

ModulesControl::ModulesControl(bool excluded, QWidget* parent)
    : FieldControl(parent),
      mode_(new QComboBox(this)),
      names_(new QWidget(this)),
      others_(new QLineEdit(names_)),
      expression_(new QLineEdit(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kSpace);
    layout->addWidget(mode_);
    layout->addWidget(names_);
    layout->addWidget(expression_);
    mode_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    mode_->setMinimumContentsLength(10);
    passWheel(mode_);
    mode_->addItem(tr("all linears"), All);
    mode_->addItem(excluded ? tr("none") : tr("PEFT's choice for phi"), NotGiven);
    mode_->addItem(tr("these modules"), Names);
    mode_->addItem(tr("an expression"), Expression);
    if (excluded) mode_->removeItem(0);

    auto* grid = new QGridLayout(names_);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(3 * kSpace);
    grid->setVerticalSpacing(kSpace);
    int index = 0;
    for (const std::string& name : config::phiLinearNames()) {
        auto* box = new QCheckBox(ui::text(name), names_);
        boxes_.push_back(box);
        grid->addWidget(box, index / 2, index % 2);
        ++index;
        connect(box, &QCheckBox::clicked, this, [this] {
            touched_ = true;
            Q_EMIT committed();
        });
    }
    grid->addWidget(others_, 3, 0, 1, 2);
    grid->setColumnStretch(1, 1);
    others_->setPlaceholderText(tr("other names or endings, with commas"));
    others_->setAccessibleName(tr("Other module names"));
    expression_->setPlaceholderText(tr("matches the whole name"));
    expression_->setAccessibleName(tr("Expression for module names"));
    for (QLineEdit* edit : {others_, expression_}) {
        connect(edit, &QLineEdit::textEdited, this, [this] { Q_EMIT edited(); });
        connect(edit, &QLineEdit::editingFinished, this, [this] { Q_EMIT committed(); });
    }
    connect(mode_, &QComboBox::activated, this, [this] {
        touched_ = true;
        showMode();
        if (mode() == Expression) {
            expression_->setFocus();
            Q_EMIT edited();
        } else {
            Q_EMIT committed();
        }
    });
    connect(this, &FieldControl::edited, this, [this] { touched_ = true; });
    showMode();
}

ModulesControl::Mode ModulesControl::mode() const {
    return static_cast<Mode>(mode_->currentData().toInt());
}

void ModulesControl::showMode() {
    names_->setVisible(mode() == Names);
    expression_->setVisible(mode() == Expression);
}

void ModulesControl::setText(const QString& text) {
    if (this->text() == text) return;
    given_ = text;
    touched_ = false;
    config::Recipe recipe;
    if (!config::setFromText(recipe, "target_modules", utf8(text))) return;
    const config::ModuleSelection& selection = recipe.qlora.target_modules;
    Mode mode = NotGiven;
    QStringList names;
    if (const auto* word = std::get_if<std::string>(&selection)) {
        mode = config::isAllLinear(*word) && mode_->findData(All) >= 0 ? All : Expression;
        if (mode == Expression) expression_->setText(ui::text(*word));
    } else if (const auto* list = std::get_if<std::vector<std::string>>(&selection)) {
        mode = Names;
        for (const std::string& name : *list) names << ui::text(name);
    }
    mode_->setCurrentIndex(mode_->findData(mode));
    if (mode == Names) {
        for (QCheckBox* box : boxes_) box->setChecked(names.removeAll(box->text()) > 0);
        others_->setText(names.join(QStringLiteral(", ")));
    }
    showMode();
}

QString ModulesControl::text() const {
    if (!touched_ && !given_.isEmpty()) return given_;
    switch (mode()) {
        case All:
            return QStringLiteral("all-linear");
        case NotGiven:
            return QStringLiteral("null");
        case Expression:
            return ui::text(config::quote(utf8(expression_->text())));
        case Names:
            break;
    }
    std::string list = "[";
    const auto add = [&](const QString& name) {
        if (!name.isEmpty()) list += (list.size() > 1 ? ", " : "") + config::quote(utf8(name));
    };
    for (const QCheckBox* box : boxes_)
        if (box->isChecked()) add(box->text());
    for (const QString& name : others_->text().split(QLatin1Char(','))) add(name.trimmed());
    return ui::text(list + "]");
}

QWidget* ModulesControl::entry() const {
    return mode_;
}

}  // namespace studio::ui
