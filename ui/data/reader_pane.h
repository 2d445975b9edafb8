// The right column: the conversation, its tree and facts; or its proof sheet.
#pragma once

#include <QWidget>
#include <memory>

#include "ui/data/conversation_view.h"
#include "ui/data/library.h"
#include "ui/data/proof_view.h"
#include "ui/data/reading.h"
#include "ui/data/tree_map.h"
#include "ui/widgets/basics.h"

class QScrollArea;
class QSplitter;
class QStackedWidget;

namespace studio::ui {

class ReaderPane : public QWidget {
    Q_OBJECT
  public:
    ReaderPane(Session& session, Library& library, QWidget* parent = nullptr);

    Reading& reading() { return reading_; }
    ConversationView* view() { return view_; }
    ProofView* proof() { return proof_; }
    QSplitter* splitter() { return splitter_; }
    QPushButton* mapButton() { return map_button_; }

    // Reads and shows a tree of the listing; −1: nothing. `wanted`: the message to be shown, on the branch
    // that ends with `branch`.
    void open(std::int32_t tree, const QString& wanted = {}, const QString& branch = {});
    std::int32_t tree() const { return tree_; }
    void showVerdicts();  // after another filter was answered
    void setProof(bool on);
    bool proofShown() const;
    void setNarrow(bool narrow);  // the tree shares the reader's room
    void copyMarkdown();

  Q_SIGNALS:
    void failed(const studio::Error& error);
    void proofToggled(bool on);

  private:
    void showFacts();
    void showMenu(const QPoint& at);
    void showMap();

    Session& session_;
    Library& library_;
    Reading reading_;
    PaneHeader* header_;
    QPushButton* proof_button_;
    QPushButton* map_button_;
    QStackedWidget* body_;
    QSplitter* splitter_;
    ConversationView* view_;
    QWidget* side_;
    TreeMap* map_;
    QScrollArea* map_scroll_;
    Text* map_title_;
    FactList* facts_;
    ProofView* proof_;
    EmptyState* nothing_;
    std::int32_t tree_ = -1;
    quint64 asked_ = 0;
    bool narrow_ = false;
};

}  // namespace studio::ui
