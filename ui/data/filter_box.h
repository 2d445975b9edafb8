// The one-line field in which a filter is typed: coloured words, an underlined error, completion, history.
#pragma once

#include <QListView>
#include <QPlainTextEdit>
#include <QStringList>
#include <QTimer>
#include <optional>
#include <utility>

namespace studio::ui {

class FilterBox : public QPlainTextEdit {
    Q_OBJECT
  public:
    explicit FilterBox(QWidget* parent = nullptr);

    QString filter() const { return toPlainText(); }
    // Takes effect at once; an undo step of the field.
    void setFilter(const QString& text);
    void setLanguages(const QStringList& codes) { languages_ = codes; }
    // Marks [begin, end) of the text; empty: nothing is wrong.
    void setError(int begin, int end);
    QStringList history() const { return history_; }
    void setHistory(const QStringList& history);
    void remember();  // puts the text in front of the history
    // Closes the completions, else empties the field. False if there was nothing to do.
    bool escape();
    bool completing() const { return popup_->isVisible(); }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  Q_SIGNALS:
    void edited();   // after each change of the text by a person or setFilter()
    void settled();  // 150 ms after the last change, or at once with Return

  protected:
    void keyPressEvent(QKeyEvent* event) override;
    void insertFromMimeData(const QMimeData* source) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;
    void changeEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void restyle();
    void complete();
    void take(int row);
    bool walkHistory(int step);
    bool completionKey(QKeyEvent* event);

    class Highlighter;
    Highlighter* highlighter_;
    QListView* popup_;
    QTimer settle_;
    QStringList languages_, history_;
    int history_at_ = -1;
    QString draft_;  // what was typed before walking through the history
    int word_begin_ = 0;
    bool wrong_ = false;
    bool styling_ = false, walking_ = false;
};

}  // namespace studio::ui
