// Where a message is written: several lines, Ctrl+Return sends.
#pragma once

#include <QPlainTextEdit>
#include <QPushButton>
#include <QWidget>

#include "ui/widgets/basics.h"

namespace studio::ui {

class Composer : public QWidget {
    Q_OBJECT
  public:
    explicit Composer(QWidget* parent = nullptr);

    QString text() const { return edit_->toPlainText(); }
    void setText(const QString& text);
    void setFocusToText() { edit_->setFocus(Qt::OtherFocusReason); }
    // While an answer is written Send becomes Stop.
    void setAnswering(bool answering);
    // `reason` empty: it can be sent.
    void setBlocked(const QString& reason);
    // What is edited is an earlier prompt; `begin` puts it in, leave() brings the draft back.
    void beginEdit(const QString& prompt);
    void leaveEdit();
    bool editing() const { return editing_; }

  Q_SIGNALS:
    void textChanged();
    void sendAsked();
    void stopAsked();
    void editLeft();

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    void fit();
    void refresh();

    QPlainTextEdit* edit_;
    QWidget* strip_;
    Text* hint_;
    QPushButton* button_;
    QString kept_;
    QString blocked_;
    bool answering_ = false, editing_ = false;
};

}  // namespace studio::ui
