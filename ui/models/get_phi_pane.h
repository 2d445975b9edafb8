// How to get phi-2, in words that can be copied.
#pragma once

#include <QPlainTextEdit>
#include <QScrollArea>

#include "ui/widgets/basics.h"

namespace studio::ui {

class GetPhiPane : public QScrollArea {
    Q_OBJECT
  public:
    explicit GetPhiPane(QWidget* parent = nullptr);
    void setFacts(bool there, const QString& place, quint64 free_bytes);
    // Everything a person needs, as one text.
    static QString sentence(const QString& place);
    int leastWidth() const;  // in which no word and no button is cut
    QSize sizeHint() const override;

  protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    void fitCommand();
    Text *state_, *room_, *place_;
    QPlainTextEdit* command_;
    QString folder_;
};

}  // namespace studio::ui
