// The form, made from the table of fields: groups, rare fields folded away, and the help of the field in hand.
#pragma once

#include <QWidget>
#include <map>
#include <vector>

#include "ui/recipe/field_row.h"

class QScrollArea;
class QVBoxLayout;

namespace studio::ui {

class RecipeForm : public QWidget {
    Q_OBJECT
  public:
    RecipeForm(RecipeDocument& document, QWidget* parent);

    // Anew for another project; with the values of the document.
    void rebuild(const QString& project_folder);
    void refresh();
    void commitAll();

    FieldRow* row(std::string_view key) const;
    const std::vector<FieldRow*>& rows() const { return rows_; }
    // Only fields whose label or key has these words; only those that differ from the preset.
    void showOnly(const QString& words, bool changed_only);
    void goTo(std::string_view key);  // unfolds, scrolls, focuses
    int changes() const;              // fields that differ
    int wideWidth() const;            // with it the controls stand beside their labels
    QStringList unusable() const;     // labels of fields whose text is no value
    // Cards to choose from besides the words of the field.
    void setDevices(const std::vector<FieldControl::Offer>& devices);
    void setFilterWords(const QString& sentence, const QString& count);

    // Unfolded groups, for tomorrow.
    QStringList unfolded() const;
    void setUnfolded(const QStringList& names);

  Q_SIGNALS:
    void stateChanged();
    void showDataWanted();
    void chooseModelWanted();

  protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

  private:
    struct Section {
        QString name;
        QWidget* box = nullptr;
        Text* title = nullptr;
        LinkButton* more = nullptr;
        std::vector<FieldRow*> common, rare;
        bool unfolded = false;
    };
    void addSection(const QString& title, const std::vector<config::Field>& fields, const QString& project_folder);
    void arrange();
    void fit();
    int frameWidth() const;  // margins and scroll bar
    QString helpOf(const config::Field& field) const;
    void showHelp(const FieldRow* row);
    void fitHelp();

    RecipeDocument& document_;
    std::vector<FieldControl::Offer> devices_;
    QScrollArea* scroll_;
    QWidget* body_ = nullptr;
    QVBoxLayout* column_ = nullptr;
    std::vector<Section> sections_;
    std::vector<FieldRow*> rows_;
    Text *help_title_, *help_key_, *help_text_;
    QWidget* filter_note_ = nullptr;
    Text *filter_words_ = nullptr, *filter_count_ = nullptr, *nothing_ = nullptr;
    QString words_;
    bool changed_only_ = false;
    int helped_ = -1;  // width and font that the help has its height for
    QFont helped_font_;
};

}  // namespace studio::ui
