// Models: the bases and adapters on this computer, whether they can be used, and how to get phi-2.
#pragma once

#include <QAction>
#include <QPointer>
#include <QScrollArea>

#include "ui/models/adapter_table.h"
#include "ui/models/get_phi_pane.h"
#include "ui/models/model_card.h"
#include "ui/session/page.h"

namespace studio::ui {

class ModelsPage : public Page {
    Q_OBJECT
  public:
    explicit ModelsPage(Session& session, QWidget* parent = nullptr);

    QString status() const override;
    QString statusRight() const override;
    QString help() const override;
    void activated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;

    const jobs::ModelCatalogue& catalogue() const { return catalogue_; }
    bool searching() const { return !task_.isNull(); }
    // As chosen in the dialog: checked, told, remembered.
    void addFolder(const QString& folder);

  protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

  private:
    QWidget* buildMain();
    void buildActions();
    void refresh();
    void take(jobs::ModelCatalogue catalogue);
    void chooseFolder();
    void showFolder(const std::filesystem::path& folder);
    const jobs::AdapterModel* chosen() const;
    void chatWithChosen();
    void evaluateChosen();
    void enable();
    void fitTable();

    jobs::ModelCatalogue catalogue_;
    QPointer<Task> task_;
    bool searched_ = false;
    QString wanted_adapter_;

    ElidedText* totals_;
    QScrollArea* scroll_;
    CardGrid* cards_;
    Text* no_adapters_;
    AdapterTable* adapters_;
    RowTable* table_;
    QPushButton *chat_, *evaluate_, *folder_;
    GetPhiPane* phi_;
    QAction *chat_action_ = nullptr, *evaluate_action_ = nullptr;
};

}  // namespace studio::ui
