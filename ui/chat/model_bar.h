// Above the conversation: which model is asked, how much of its adapter, and whether its base is asked as well.
#pragma once

#include <QComboBox>
#include <QPushButton>
#include <QSlider>
#include <QWidget>

#include "ui/chat/model_shelf.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

class ModelBar : public QWidget {
    Q_OBJECT
  public:
    explicit ModelBar(QWidget* parent = nullptr);

    // `complete`: all that there are; else they are still looked for.
    void setChoices(const std::vector<ModelChoice>& choices, bool complete);
    // `missing`: the name of a model that is not among the choices.
    void setSettings(const project::ChatSettings& settings, bool has_adapter, const QString& missing);
    void setAnswering(bool answering);
    void setSettingsToggle(bool visible, bool on);
    void focusModel() { model_->setFocus(Qt::ShortcutFocusReason); }
    QPushButton* compareButton() const { return compare_; }

  Q_SIGNALS:
    void modelChosen(const studio::project::ChatModel& key);
    void strengthChosen(double strength);
    void compareChosen(bool on);
    void settingsToggled(bool on);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    std::vector<ModelChoice> choices_;
    std::vector<project::ChatModel> keys_;
    bool setting_ = false;
    QString missing_;
    project::ChatModel chosen_;
    QComboBox* model_;
    Text *strength_label_, *strength_value_;
    QSlider* strength_;
    QPushButton *compare_, *panel_;
    void fill();
};

}  // namespace studio::ui
