// The models a chat can ask: the run at work, each run's best and newest checkpoint, other adapters, bases.
#pragma once

#include <QObject>
#include <QPointer>
#include <QTimer>
#include <optional>
#include <vector>

#include "jobs/model_search.h"
#include "project/chat_file.h"
#include "ui/session/session.h"

namespace studio::ui {

struct ModelChoice {
    project::ChatModel key;
    QString label;       // "studio-r16 · best, step 400"
    QString short_;      // "studio-r16 @ 400": above an answer
    QString base_label;  // "phi-2, base"
    bool live = false;
    bool has_adapter = false;
    bool newest = false;  // of its run
    std::filesystem::path run, adapter, base;
    std::string template_name = "openassistant";
};

class ModelShelf : public QObject {
    Q_OBJECT
  public:
    explicit ModelShelf(Session& session, QObject* parent = nullptr);

    void refresh();  // looks at the disk, on the files thread
    bool loaded() const { return loaded_; }
    // Whether a model that is not among the choices may still turn up: a look at the disk is under way.
    bool looking() const { return looking_; }
    const std::vector<ModelChoice>& choices() const { return choices_; }
    const ModelChoice* find(const project::ChatModel& key) const;
    // A checkpoint that is neither best nor newest joins the choices when it is asked for by name.
    const ModelChoice* adopt(const project::ChatModel& key);
    // The live run, the newest run's best checkpoint, or the first base.
    const ModelChoice* first() const;

  Q_SIGNALS:
    void changed();

  private:
    void rebuild();
    void liveChanged();
    ModelChoice choiceOf(const jobs::AdapterModel& adapter) const;
    QString baseLabel(const std::filesystem::path& base, const std::string& name) const;

    Session& session_;
    jobs::ModelCatalogue catalogue_;
    std::vector<ModelChoice> choices_;
    std::vector<project::ChatModel> adopted_;
    QPointer<Task> task_;
    bool loaded_ = false, looking_ = false;
    QString live_folder_;
    qint64 live_step_ = -1;
    QTimer* step_timer_;
};

}  // namespace studio::ui
