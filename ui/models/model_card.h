// A base model on a card: what it is, whether it can be used and what it lacks.
#pragma once

#include <QPushButton>
#include <QWidget>
#include <vector>

#include "jobs/model_search.h"
#include "ui/widgets/basics.h"

namespace studio::ui {

class ModelCard : public QWidget {
    Q_OBJECT
  public:
    // `forgettable`: the folder is remembered in the settings.
    ModelCard(const jobs::BaseModel& model, bool forgettable, QWidget* parent = nullptr);
    const jobs::BaseModel& model() const { return model_; }

  Q_SIGNALS:
    void chat();
    void useInRecipe();
    void showFolder();
    void forget();

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    jobs::BaseModel model_;
};

// Cards of one width in as many columns as fit.
class CardGrid : public QWidget {
    Q_OBJECT
  public:
    explicit CardGrid(QWidget* parent = nullptr);
    void setCards(const std::vector<QWidget*>& cards);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void arrange();
    QGridLayout* grid_;
    std::vector<QWidget*> cards_;
    int columns_ = 0;
};

}  // namespace studio::ui
