// The middle column: filter box with its sentence, the count, Train on these, and the list.
#pragma once

#include <QWidget>
#include <functional>
#include <memory>

#include "ui/data/conversation_list.h"
#include "ui/data/filter_box.h"
#include "ui/widgets/basics.h"

class QComboBox;
class QListView;
class QStackedWidget;

namespace studio::ui {

class ListPane : public QWidget {
    Q_OBJECT
  public:
    ListPane(Library& library, QWidget* parent = nullptr);

    FilterBox* filterBox() { return filter_; }
    QSize minimumSizeHint() const override;
    QListView* list() { return list_; }
    ConversationList* model() { return model_; }
    QAbstractButton* facetsButton() { return facets_; }  // shown where the facets are a drawer

    void show(const std::shared_ptr<const Listing>& listing);
    // What the text of the filter means, or what is wrong with it. False if it is wrong.
    bool explain();
    Scope scope() const;
    SortBy sort() const;
    void setScope(Scope scope);
    void setSort(SortBy sort);
    void select(std::int32_t tree);  // −1: nothing
    std::int32_t selected() const;

  Q_SIGNALS:
    void settled();  // a right filter is ready to be asked about
    void changed();  // of scope or order
    void trainWanted();
    void treeChosen(std::int32_t tree);
    void filterWanted(const QString& filter);

  private:
    QWidget* buildCount();
    void showCount();
    void showNothing();
    void fillScopes();
    void offer(QPushButton* button, const QString& words, std::function<void()> act);

    Library& library_;
    FilterBox* filter_;
    QToolButton* facets_;
    QLabel* error_mark_;
    Text *sentence_, *count_, *of_, *messages_;
    QPushButton* train_;
    QComboBox *scope_, *sort_;
    QListView* list_;
    ConversationList* model_;
    QStackedWidget* body_;
    EmptyState* nothing_;
    QPushButton *way_out_, *other_way_;  // below nothing_
    std::function<void()> go_way_out_, go_other_way_;
    std::shared_ptr<const Listing> listing_;
    bool filling_ = false, wrong_ = false;
};

}  // namespace studio::ui
