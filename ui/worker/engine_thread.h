// The thread that owns the engine and everything loaded into it. One job at a time.
#pragma once

#include <QObject>
#include <optional>

#include "base/log.h"
#include "engine/api/engine.h"
#include "jobs/model_folder.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "ui/worker/task_thread.h"

namespace studio::ui {

// A model that stays loaded for chats and measurements.
struct LoadedModel {
    jobs::ModelRequest request;
    jobs::ResolvedModel resolved;
    std::unique_ptr<engine::api::Model> model;
    std::shared_ptr<const text::Tokenizer> tokenizer;
    std::shared_ptr<const text::ChatTemplate> chat_template;
};

class EngineThread : public QObject {
    Q_OBJECT
  public:
    explicit EngineThread(std::shared_ptr<Logger> log, QObject* parent = nullptr);
    ~EngineThread() override;

    // `work` on the engine thread; `title` says what it is busy with ("Evaluating studio-r16"). `done` on the GUI
    // thread. The engine's library is opened by the first job; the error says what is missing.
    template <class T>
    Task* run(QObject* receiver, const QString& title,
              std::function<Result<T>(engine::api::Engine&, const JobContext&)> work,
              std::function<void(Result<T>)> done) {
        begin(title);
        auto* self = this;
        // Goes with the job, so that one that is cancelled while it waits ends as well.
        auto busy = std::make_shared<Busy>(*self);
        return thread_.run<T>(
            receiver,
            [self, busy = std::move(busy), work = std::move(work)](const JobContext& job) -> Result<T> {
                STUDIO_TRY(auto* engine, self->engine());
                return work(*engine, job);
            },
            std::move(done));
    }

    // `work` on the model that `request` names: the loaded one where it is the same, else it is loaded first (and the
    // other one given back before).
    template <class T>
    Task* runOnModel(QObject* receiver, const QString& title, jobs::ModelRequest request,
                     std::function<Result<T>(LoadedModel&, const JobContext&)> work,
                     std::function<void(Result<T>)> done) {
        auto* self = this;
        return run<T>(
            receiver, title,
            [self, request = std::move(request), work = std::move(work)](engine::api::Engine& engine,
                                                                         const JobContext& job) -> Result<T> {
                STUDIO_TRY(LoadedModel * loaded, self->load(engine, request, job));
                return work(*loaded, job);
            },
            std::move(done));
    }

    // Gives the memory of the loaded model back, once the present job is over.
    void unload();
    // From a job on the engine thread: the same, at once.
    void unloadNow();

    // What is loaded, as last told; empty: nothing.
    struct Held {
        QString label;  // "studio-r16 on phi-2"
        quint64 bytes = 0;
        engine::api::DeviceInfo device;
    };
    const std::optional<Held>& held() const { return held_; }
    // From a job: what the job keeps in memory itself (a run, an evaluation); nullopt when that is gone, then a model
    // that stays loaded is named again.
    void tellHeld(std::optional<Held> held);

    const QString& busyWith() const { return busy_with_; }  // empty: idle
    // Known once the engine was opened.
    const std::optional<engine::api::DeviceInfo>& device() const { return device_; }
    // For what may be asked from any thread (Engine::planMemory); null: not opened yet.
    engine::api::Engine* opened() const { return opened_; }

  Q_SIGNALS:
    void changed();

  private:
    static Held describe(const LoadedModel& loaded);
    // Marks the end of a job, whatever its result.
    struct Busy {
        explicit Busy(EngineThread& owner) : thread(owner) {}
        ~Busy() { thread.end(); }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;
        EngineThread& thread;
    };
    void begin(const QString& title);
    void end();
    Result<engine::api::Engine*> engine();
    Result<LoadedModel*> load(engine::api::Engine& engine, const jobs::ModelRequest& request, const JobContext& job);

    std::shared_ptr<Logger> log_;
    engine::api::Engine* engine_ = nullptr;  // on the engine thread
    engine::api::Engine* opened_ = nullptr;  // the same, on the GUI thread
    std::unique_ptr<LoadedModel> loaded_;    // on the engine thread
    std::deque<QString> titles_;             // on the GUI thread, of the running and the waiting jobs
    QString busy_with_;
    std::optional<Held> held_;
    std::optional<engine::api::DeviceInfo> device_;
    TaskThread thread_;
};

}  // namespace studio::ui
