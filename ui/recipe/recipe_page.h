// The Recipe page: the form, what it will do, and Start.
#pragma once

#include "ui/recipe/consequences.h"
#include "ui/session/page.h"

class QComboBox;
class QLineEdit;
class QSplitter;
class QStackedWidget;
class QToolButton;

namespace studio::ui {

class ConsequencesView;
class RecipeForm;
class TextView;

class RecipePage : public Page {
    Q_OBJECT
  public:
    explicit RecipePage(Session& session, QWidget* parent = nullptr);
    ~RecipePage() override;

    QString subject() const override;
    QString status() const override;
    QString statusRight() const override;
    QString help() const override;
    void focusSearch() override;
    bool escape() override;
    void activated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;

    RecipeForm* form() const { return form_; }
    ConsequencesView* view() const { return view_; }
    Consequences& consequences() { return consequences_; }
    // Why a run cannot be started now; empty: it can.
    QString blocked() const;

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void fitPanes();
    QWidget* buildLeft();
    void buildActions();
    void documentChanged();
    void refreshPresets();
    void refreshHeader();
    void refreshFilterNote();
    void refreshName();
    void offerCards();
    void showForm(bool form);
    void start();
    void undo();
    void useBase(const QString& folder);
    void trainOn(const QString& filter);
    void takeRecipeOf(const QString& run_folder);
    void loadFiles();
    void paste();
    void takeTexts(const std::vector<std::pair<QString, std::string>>& texts, const QString& step);
    void saveAsPreset();

    Consequences consequences_;
    QStackedWidget* pages_;  // nothing open, or the recipe
    QSplitter* splitter_;
    QStackedWidget* views_;
    RecipeForm* form_;
    TextView* text_;
    ConsequencesView* view_;
    QComboBox* presets_;
    QToolButton *changes_, *form_button_, *text_button_, *menu_;
    QLineEdit* find_;
    QAction *undo_ = nullptr, *redo_ = nullptr, *start_ = nullptr, *dry_run_ = nullptr;
    bool saved_ = true, placed_ = false;
};

}  // namespace studio::ui
