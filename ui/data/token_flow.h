// Tokens as boxes in running order, message by message: targets are filled and underlined, EOS is a box of its own.
#pragma once

#include <QAbstractScrollArea>
#include <vector>

#include "jobs/proof_sheet.h"

namespace studio::ui {

// The bytes of a token as people can see them: spaces as ·, line ends as ⏎, parts of a character in hexadecimal.
QString tokenText(const jobs::ProofToken& token);
bool learnedEnd(const jobs::ProofToken& token);   // framed: an end of text that is a target
QString kindText(const jobs::ProofToken& token);  // "answer", "end of answer", "marker", "prompt"

class TokenFlow : public QAbstractScrollArea {
    Q_OBJECT
  public:
    explicit TokenFlow(QWidget* parent = nullptr);
    void show(const jobs::ProofExample* example);  // kept by the caller
    int current() const { return current_; }
    void setCurrent(int token);

  Q_SIGNALS:
    void currentChanged(int token);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void changeEvent(QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

  private:
    struct Box {
        QRectF box;
        QString text;
    };
    void layOut();
    int tokenAt(const QPointF& in_contents) const;
    QString spoken(int token) const;

    const jobs::ProofExample* example_ = nullptr;
    std::vector<Box> boxes_;                         // of each token
    std::vector<std::pair<double, QString>> heads_;  // y and words above each message
    int current_ = 0;
};

}  // namespace studio::ui
