#include "ui/chat/model_bar.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QSignalBlocker>
#include <QWheelEvent>

#include "ui/look/format.h"
#include "ui/look/type.h"

namespace studio::ui {
namespace {

template <class W>
class Quiet final : public W {
  public:
    using W::W;

  protected:
    void wheelEvent(QWheelEvent* event) override {
        if (this->hasFocus())
            W::wheelEvent(event);
        else
            event->ignore();
    }
};

}  // namespace

ModelBar::ModelBar(QWidget* parent)
    : QWidget(parent),
      model_(new Quiet<QComboBox>),
      strength_label_(new Text(Text::Kind::Body, tr("S&trength"))),
      strength_value_(new Text(Text::Kind::Strong)),
      strength_(new Quiet<QSlider>(Qt::Horizontal)),
      compare_(new QPushButton(tr("Compare With Base"))),
      panel_(new QPushButton(tr("Settings"))) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(3 * kSpace, kSpace, 3 * kSpace, kSpace + 1);
    row->setSpacing(2 * kSpace);
    setMinimumHeight(controlHeight(font()) + 4 * kSpace);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);

    model_->setAccessibleName(tr("Model"));
    model_->setToolTip(tr("The model that is asked"));
    model_->setPlaceholderText(tr("Looking for models…"));
    model_->setFocusPolicy(Qt::StrongFocus);
    model_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    model_->setMinimumContentsLength(24);
    model_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    row->addWidget(model_, 3);
    strength_label_->setBuddy(strength_);
    strength_->setFocusPolicy(Qt::StrongFocus);
    strength_->setRange(0, 20);
    strength_->setPageStep(5);
    strength_->setAccessibleName(tr("Strength of the adapter"));
    strength_->setToolTip(tr("How much of the adapter counts: 0 is the base, 1 the adapter as trained"));
    strength_->setFixedWidth(15 * characterWidth(font()));
    strength_value_->setMinimumWidth(5 * characterWidth(font()));
    row->addSpacing(kSpace);
    row->addWidget(strength_label_);
    row->addWidget(strength_);
    row->addWidget(strength_value_);
    row->addStretch(2);
    compare_->setCheckable(true);
    compare_->setAccessibleName(compare_->text());
    compare_->setToolTip(tr("Ask the base as well, with the same prompt and seed (Ctrl+B)"));
    row->addWidget(compare_);
    panel_->setCheckable(true);
    panel_->setAccessibleName(tr("Show the chat's settings"));
    row->addWidget(panel_);

    connect(model_, &QComboBox::activated, this, [this](int index) {
        if (index >= 0 && static_cast<std::size_t>(index) < keys_.size())
            Q_EMIT modelChosen(keys_[static_cast<std::size_t>(index)]);
    });
    connect(strength_, &QSlider::valueChanged, this, [this](int value) {
        strength_value_->setText(number(value / 20.0, 2));
        if (!setting_) Q_EMIT strengthChosen(value / 20.0);
    });
    connect(compare_, &QPushButton::toggled, this, [this](bool on) {
        if (!setting_) Q_EMIT compareChosen(on);
    });
    connect(panel_, &QPushButton::toggled, this, [this](bool on) {
        if (!setting_) Q_EMIT settingsToggled(on);
    });
}

void ModelBar::setChoices(const std::vector<ModelChoice>& choices, bool complete) {
    model_->setPlaceholderText(complete ? tr("No model") : tr("Looking for models…"));
    choices_ = choices;
    fill();
}

void ModelBar::fill() {
    const QSignalBlocker quiet(model_);
    // An open list is left alone.
    QStringList labels;
    keys_.clear();
    bool found = false;
    for (const ModelChoice& choice : choices_) {
        labels << choice.label;
        keys_.push_back(choice.key);
        found |= choice.key == chosen_;
    }
    if (!found && !missing_.isEmpty()) {
        labels << tr("%1 (not there)").arg(missing_);
        keys_.push_back(chosen_);
    }
    bool same = model_->count() == labels.size();
    if (same)
        for (int i = 0; i < model_->count(); ++i)
            if (model_->itemText(i) != labels[i]) model_->setItemText(i, labels[i]);
    if (!same) {
        model_->clear();
        model_->addItems(labels);
    }
    const auto at = std::find(keys_.begin(), keys_.end(), chosen_);
    model_->setCurrentIndex(at == keys_.end() ? -1 : static_cast<int>(at - keys_.begin()));
    model_->setEnabled(!labels.isEmpty());
}

void ModelBar::setSettings(const project::ChatSettings& settings, bool has_adapter, const QString& missing) {
    setting_ = true;
    chosen_ = settings.model;
    missing_ = missing;
    fill();
    strength_->setValue(qRound(settings.strength * 20));
    strength_value_->setText(number(settings.strength, 2));
    compare_->setChecked(settings.compare && has_adapter);
    compare_->setEnabled(has_adapter);
    for (QWidget* widget : {static_cast<QWidget*>(strength_label_), static_cast<QWidget*>(strength_),
                            static_cast<QWidget*>(strength_value_)})
        widget->setVisible(has_adapter);
    setting_ = false;
}

void ModelBar::setAnswering(bool answering) {
    model_->setEnabled(!answering && model_->count() > 0);
}

void ModelBar::setSettingsToggle(bool visible, bool on) {
    setting_ = true;
    panel_->setVisible(visible);
    panel_->setChecked(on);
    setting_ = false;
}

void ModelBar::paintEvent(QPaintEvent*) {
    QPainter(this).fillRect(0, height() - 1, width(), 1, colour(Hue::Line, this));
}

}  // namespace studio::ui
