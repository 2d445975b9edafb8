// Chat: conversations with the models of this project, kept in it.
#pragma once

#include <QListView>
#include <QProgressBar>
#include <QSplitter>
#include <QStackedWidget>

#include "ui/chat/chat_list.h"
#include "ui/chat/chat_presenter.h"
#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"
#include "ui/chat/model_bar.h"
#include "ui/chat/settings_pane.h"
#include "ui/chat/starters.h"
#include "ui/session/page.h"

namespace studio::ui {

class ChatPage : public Page {
    Q_OBJECT
  public:
    explicit ChatPage(Session& session, QWidget* parent = nullptr);

    QString subject() const override;
    QString status() const override;
    QString statusRight() const override;
    QString help() const override;
    void focusSearch() override;
    bool escape() override;
    void activated() override;
    QJsonObject saveState() const override;
    void restoreState(const QJsonObject& state) override;

    ChatPresenter& presenter() { return presenter_; }

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void build();
    QWidget* buildList();
    QWidget* buildCentre();
    void buildActions();
    void connectAll();

    void showChat();
    void showSettings();
    void showProgress();
    void measure();
    void send();
    void openFromBook();
    void removeCurrent();
    void exportChat();
    void copyChat();
    void fetchStarters();
    void askFor(const project::ChatModel& key);
    void enableActions();
    int lastAnswer() const;
    void arrange();

    ChatBook book_;
    ModelShelf shelf_;
    ChatPresenter presenter_;
    PromptMeter meter_;

    QSplitter* splitter_;
    ChatListModel* list_model_;
    QListView* list_;
    ModelBar* bar_;
    QWidget* loading_;
    ElidedText* loading_text_;
    QProgressBar* loading_bar_;
    QStackedWidget* stack_;
    QWidget* unread_;
    Starters* starters_;
    ChatView* view_;
    EmptyState* no_model_;
    Composer* composer_;
    ChatSettingsPane* pane_;

    QAction *new_, *rename_, *delete_, *regenerate_, *edit_, *previous_, *next_, *copy_, *copy_all_, *export_ = nullptr,
                                                                                                     *compare_;
    QPointer<Task> starters_task_;
    QString starters_key_;
    int edited_node_ = -1;
    bool active_ = false, pane_wanted_ = true, narrow_ = false;
    std::optional<project::ChatModel> wanted_model_;
    QString wanted_chat_;
    int wanted_scroll_ = -1;
};

}  // namespace studio::ui
