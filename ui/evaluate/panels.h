// Headline figures of a result, and the phases of a measurement at work.
#pragma once

#include <QWidget>

#include "ui/evaluate/evaluation_words.h"
#include "ui/evaluate/evaluations_presenter.h"

class QGridLayout;
class QHBoxLayout;
class QProgressBar;
class QPushButton;

namespace studio::ui {

class Text;

class FigureRow : public QWidget {
    Q_OBJECT
  public:
    explicit FigureRow(QWidget* parent = nullptr);
    void setFigures(const std::vector<Figure>& figures);

  private:
    struct Block {
        QWidget* widget;
        Text *title, *value, *below;
    };
    QHBoxLayout* row_;
    std::vector<Block> blocks_;
};

class PhaseList : public QWidget {
    Q_OBJECT
  public:
    explicit PhaseList(QWidget* parent = nullptr);
    void setPhases(const QString& title, const std::vector<EvaluationsPresenter::Phase>& phases,
                   const QString& waiting_for);
    QPushButton* cancelButton() const { return cancel_; }

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    struct Row {
        Text *name, *amount;
        QProgressBar* bar;
    };
    Text *title_, *hint_;
    QGridLayout* grid_;
    std::vector<Row> rows_;
    std::size_t used_ = 0;
    QPushButton* cancel_;
};

}  // namespace studio::ui
