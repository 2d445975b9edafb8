// The open project and everything that works on it. Pages hold a reference; one session lives as long as the window.
#pragma once

#include <QObject>
#include <memory>
#include <optional>

#include "base/log.h"
#include "project/project.h"
#include "ui/session/card_watch.h"
#include "ui/session/messages.h"
#include "ui/session/navigator.h"
#include "ui/session/recipe_document.h"
#include "ui/session/run_service.h"
#include "ui/session/settings.h"
#include "ui/session/work_board.h"
#include "ui/worker/engine_thread.h"
#include "ui/worker/task_thread.h"

namespace studio::ui {

class Session : public QObject {
    Q_OBJECT
  public:
    Session(Settings& settings, std::shared_ptr<Logger> log, QObject* parent = nullptr);
    ~Session() override;

    // Closes the open project first. Refused while a run, an import or an evaluation is at work.
    Result<void> open(const std::filesystem::path& folder);
    Result<void> create(const std::filesystem::path& folder, const QString& title);
    void close();
    // The project a new person gets: made in the data folder at first use, with the sample to be imported into it.
    static std::filesystem::path sampleProjectFolder();
    static std::filesystem::path sampleFile();

    bool hasProject() const { return project_.has_value(); }
    const project::ProjectPaths& paths() const { return project_->paths(); }  // only with a project
    QString title() const { return project_ ? QString::fromStdString(project_->title()) : QString(); }

    Settings& settings() { return settings_; }
    Messages& messages() { return messages_; }
    WorkBoard& work() { return work_; }
    Navigator& go() { return navigator_; }
    const std::shared_ptr<Logger>& log() const { return log_; }
    TaskThread& files() { return files_; }      // lists, saving, exports: short work, nothing waits behind long
    TaskThread& surveys() { return surveys_; }  // looks through data and disks, which may take seconds
    TaskThread& imports() { return imports_; }  // minutes
    TaskThread& queries() { return queries_; }  // the message store: quick questions only
    EngineThread& engine() { return engine_; }
    CardWatch& cards() { return cards_; }
    RecipeDocument& recipe() { return recipe_; }
    RunService& runs() { return runs_; }

    // After an import, a deletion: every page reads the store again.
    void tellCorpusChanged() { Q_EMIT corpusChanged(); }

  Q_SIGNALS:
    void projectOpened();
    void projectClosed();
    void corpusChanged();

  private:
    Result<void> free() const;
    Result<void> take(project::Project project);

    Settings& settings_;
    std::shared_ptr<Logger> log_;
    Messages messages_;
    WorkBoard work_;
    Navigator navigator_;
    std::optional<project::Project> project_;
    TaskThread files_, surveys_, imports_, queries_;
    TaskThread saving_;  // the recipe's own: an import must not hold an edit up
    EngineThread engine_;
    CardWatch cards_;
    RecipeDocument recipe_;
    RunService runs_;
};

}  // namespace studio::ui
