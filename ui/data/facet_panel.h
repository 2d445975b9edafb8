// The filter column: languages, quality, turns, what is left out. It reads its state from the filter's text and answers
// with a new text.
#pragma once

#include <QScrollArea>
#include <map>
#include <memory>

#include "ui/data/facet_widgets.h"
#include "ui/data/filter_terms.h"
#include "ui/widgets/basics.h"

class QVBoxLayout;

namespace studio::ui {

// What scrolls the panel: never narrower than its content.
class FacetScroll : public QScrollArea {
    Q_OBJECT
  public:
    explicit FacetScroll(QWidget* panel);
    QSize minimumSizeHint() const override;

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
};

class FacetPanel : public QWidget {
    Q_OBJECT
  public:
    explicit FacetPanel(QWidget* parent = nullptr);
    void show(const std::shared_ptr<const Listing>& listing);
    void setFilter(const QString& filter);  // what is typed now

  Q_SIGNALS:
    void filterWanted(const QString& filter);
    void importWanted();

  private:
    void build();
    void showState();
    void chooseQuality(int bar);
    void chooseTurns(int bar, bool extend);
    void showAllLanguages();

    QString filter_;
    std::shared_ptr<const Listing> listing_;
    FacetState state_;
    bool all_languages_ = false;
    LinkButton* clear_;
    QVBoxLayout* languages_;
    std::vector<LanguageRow*> language_rows_;
    LinkButton* more_languages_;
    Text *quality_range_, *turns_range_, *unrated_;
    Histogram *quality_, *turns_;
    std::map<corpus::Trait, ToggleChip*> chips_;
    QWidget* chip_box_;
};

}  // namespace studio::ui
