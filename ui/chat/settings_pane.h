// Beside the conversation: how full the context is, how is sampled, and exactly what the model is given.
#pragma once

#include <QDoubleSpinBox>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QSlider>

#include "project/chat_file.h"
#include "ui/chat/prompt_meter.h"
#include "ui/widgets/basics.h"

class QVBoxLayout;

namespace studio::ui {

// A number with a value that reads "off". The wheel counts only with the focus.
class SettingSpin : public QDoubleSpinBox {
    Q_OBJECT
  public:
    explicit SettingSpin(QWidget* parent = nullptr);
    void setOff(double value, const QString& words);

  protected:
    QString textFromValue(double value) const override;
    double valueFromText(const QString& text) const override;
    QValidator::State validate(QString& text, int& position) const override;
    void wheelEvent(QWheelEvent* event) override;

  private:
    double off_ = -1e300;
    QString off_words_;
};

class ContextBar : public QWidget {
    Q_OBJECT
  public:
    explicit ContextBar(QWidget* parent = nullptr);
    void set(int used, int reserved, int whole);
    QSize sizeHint() const override { return {60, 6}; }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    int used_ = 0, reserved_ = 0, whole_ = 0;
};

class ChatSettingsPane : public QScrollArea {
    Q_OBJECT
  public:
    explicit ChatSettingsPane(QWidget* parent = nullptr);
    void setSettings(const project::ChatSettings& settings);  // tells nobody
    void setMeasure(const PromptMeasure& measure, int max_new_tokens);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  Q_SIGNALS:
    void edited(const studio::project::ChatSettings& settings);

  protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    struct Row {
        QSlider* slider = nullptr;  // null: a number without one
        SettingSpin* spin = nullptr;
    };
    Row addRow(class QGridLayout* grid, const QString& label, const QString& tip, double low, double high, double step,
               int decimals, bool slider);
    void collect();
    void showSent();
    void fitSent();

    project::ChatSettings settings_;
    PromptMeasure measure_;
    bool setting_ = false;
    ContextBar* bar_;
    Text *context_, *template_, *careful_;
    QPlainTextEdit *system_, *sent_;
    Row temperature_, top_p_, top_k_, repetition_, seed_, maximum_;
};

}  // namespace studio::ui
