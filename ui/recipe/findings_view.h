// "Worth a look": what is wrong or doubtful as cards with their cures, what is well as a list of ticks.
#pragma once

#include <QWidget>

#include "ui/recipe/consequences.h"

class QVBoxLayout;

namespace studio::ui {

class FindingsView : public QWidget {
    Q_OBJECT
  public:
    explicit FindingsView(QWidget* parent = nullptr);
    void setFindings(const std::vector<Finding>& findings);

  Q_SIGNALS:
    void cureWanted(const std::string& key, const std::string& value);
    void fieldWanted(const QString& key);
    void pageWanted(studio::ui::PageId page);

  private:
    void addCard(const Finding& finding);
    void rebuild();
    QVBoxLayout* column_;
    std::vector<Finding> findings_;
    QString shown_;  // what is shown, so that equal findings leave the widgets (and the focus) alone
};

}  // namespace studio::ui
