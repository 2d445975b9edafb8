#include "ui/worker/engine_thread.h"

#include "ui/look/format.h"

namespace studio::ui {
namespace {

bool same(const jobs::ModelRequest& a, const jobs::ModelRequest& b) {
    return a.model_path == b.model_path && a.adapter == b.adapter && a.qlora_config == b.qlora_config &&
           a.load_in_4bit == b.load_in_4bit && a.device == b.device && a.threads == b.threads;
}

// Below the window's own priority, so that a page is painted while every core computes.
constexpr int kNice = 5;

}  // namespace

EngineThread::EngineThread(std::shared_ptr<Logger> log, QObject* parent)
    : QObject(parent), log_(std::move(log)), thread_(kNice) {}

EngineThread::~EngineThread() {
    // Models are freed where they were made.
    thread_.post([this] { loaded_.reset(); });
}

void EngineThread::begin(const QString& title) {
    titles_.push_back(title);
    busy_with_ = titles_.front();
    Q_EMIT changed();
}

void EngineThread::end() {
    thread_.deliver([this] {
        titles_.pop_front();
        busy_with_ = titles_.empty() ? QString() : titles_.front();
        Q_EMIT changed();
    });
}

Result<engine::api::Engine*> EngineThread::engine() {
    if (engine_) return engine_;
    STUDIO_TRY(engine_, engine::api::openEngine({log_}));
    thread_.deliver([this, info = engine_->device(), opened = engine_] {
        device_ = info;
        opened_ = opened;
        Q_EMIT changed();
    });
    return engine_;
}

Result<LoadedModel*> EngineThread::load(engine::api::Engine& engine, const jobs::ModelRequest& request,
                                        const JobContext& job) {
    if (loaded_ && same(loaded_->request, request)) return loaded_.get();
    unloadNow();
    auto next = std::make_unique<LoadedModel>();
    next->request = request;
    STUDIO_TRY(next->resolved, jobs::resolveModel(request));
    STUDIO_TRY(next->tokenizer, text::loadTokenizer(next->resolved.base));
    STUDIO_TRY(next->chat_template, text::chatTemplate(next->resolved.template_name));
    STUDIO_TRY(next->model, jobs::loadModel(engine, next->resolved, job));
    loaded_ = std::move(next);
    tellHeld(std::nullopt);
    return loaded_.get();
}

EngineThread::Held EngineThread::describe(const LoadedModel& loaded) {
    const engine::api::ModelInfo& info = loaded.model->info();
    QString label = pathText(loaded.resolved.base.filename());
    if (!loaded.resolved.adapter.empty())
        label = tr("%1 on %2").arg(pathText(loaded.resolved.adapter.parent_path().filename()), label);
    return {label, info.weight_bytes, info.device};
}

void EngineThread::unload() {
    thread_.post([this] { unloadNow(); });
}

void EngineThread::unloadNow() {
    if (!loaded_) return;
    loaded_.reset();
    tellHeld(std::nullopt);
}

void EngineThread::tellHeld(std::optional<Held> held) {
    if (!held && loaded_) held = describe(*loaded_);
    thread_.deliver([this, held = std::move(held)] {
        held_ = held;
        Q_EMIT changed();
    });
}

}  // namespace studio::ui
