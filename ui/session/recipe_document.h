// The project's recipe: read from its two files, changed field by field with undo, saved after every change.
#pragma once

#include <QObject>
#include <QUndoStack>
#include <filesystem>
#include <functional>
#include <memory>

#include "config/issue.h"
#include "config/recipe.h"
#include "project/project.h"
#include "ui/worker/task_thread.h"

namespace studio::ui {

class RecipeDocument : public QObject {
    Q_OBJECT
  public:
    // Saving is done on `files`, in order.
    explicit RecipeDocument(TaskThread& files, QObject* parent = nullptr);
    ~RecipeDocument() override;  // what is not saved yet is saved now

    // Reads the project's recipe; where it has none, the preset `demo` on the project's own corpus. What is wrong in
    // the files is in issues(); a file that is no recipe at all is kept as FILE.broken and told by `loadFailed`.
    void open(const project::ProjectPaths& paths);
    void close();

    const config::Recipe& recipe() const { return recipe_; }
    const config::Recipe& reference() const { return reference_; }  // the preset that differences are marked against
    const QString& preset() const { return preset_; }               // its name
    const config::Issues& issues() const { return issues_; }        // of the recipe as it stands (checkRecipe)
    bool isOwnPreset() const;                                       // preset() is the person's own, not the program's
    std::filesystem::path configFile() const { return paths_.trainingConfig(); }  // relative paths start there

    // One field from text, as in a file (config::setFromText). An undo step "Change <label>"; equal text is none. On
    // error nothing changes.
    Result<void> set(std::string_view key, const std::string& value);
    // The whole recipe (a preset, a run's, a pasted text). `step` names the undo step.
    void replace(const config::Recipe& recipe, const QString& step);
    Result<void> usePreset(const QString& name);
    Result<void> saveAsPreset(const QString& name);  // among the person's own presets
    QStringList presets() const;                     // the program's, then the person's own

    QUndoStack* undoStack() { return &undo_; }

  Q_SIGNALS:
    void changed();  // after every edit, undo, preset, open
    void saved();
    void saveFailed(const studio::Error& error);
    void loadFailed(const studio::Error& error);

  private:
    class Edit;
    class Writer;
    void apply(const config::Recipe& recipe, const QString& preset);
    void setPreset(const QString& name);
    void push(const config::Recipe& recipe, const QString& preset, const QString& step);
    void check();
    void save();
    // The preset as a recipe of this project: on its own corpus.
    Result<config::Recipe> presetRecipe(const QString& name) const;
    std::string corpusPath() const;

    TaskThread& files_;
    project::ProjectPaths paths_;
    config::Recipe recipe_, reference_;
    QString preset_;
    config::Issues issues_, file_issues_;  // file_issues_: of fields that the file has wrong and nobody changed yet
    std::shared_ptr<Writer> writer_;
    bool open_ = false;
    QUndoStack undo_;
};

// "Learning rate" for learning_rate: the words of a field in the form, in undo steps and elsewhere.
QString fieldLabel(std::string_view key);

}  // namespace studio::ui
