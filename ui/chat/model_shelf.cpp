#include "ui/chat/model_shelf.h"

#include <QTimer>

#include "jobs/run_record.h"
#include "ui/look/format.h"

namespace studio::ui {
namespace {

namespace fs = std::filesystem;

constexpr int kStepRhythm_ms = 500;

}  // namespace

ModelShelf::ModelShelf(Session& session, QObject* parent)
    : QObject(parent), session_(session), step_timer_(new QTimer(this)) {
    step_timer_->setSingleShot(true);
    step_timer_->setInterval(kStepRhythm_ms);
    connect(step_timer_, &QTimer::timeout, this, &ModelShelf::rebuild);
    connect(&session.runs(), &RunService::stateChanged, this, &ModelShelf::liveChanged);
    connect(&session.runs(), &RunService::entriesChanged, this, [this] {
        if (loaded_) refresh();
    });
    connect(&session.runs(), &RunService::ended, this, [this] {
        if (loaded_) refresh();
    });
}

void ModelShelf::liveChanged() {
    const auto& live = session_.runs().live();
    const QString folder = live ? live->folder : QString();
    if (folder != live_folder_) {
        live_folder_ = folder;
        rebuild();
    } else if (live && live->step != live_step_ && !step_timer_->isActive()) {
        step_timer_->start();
    }
}

void ModelShelf::refresh() {
    jobs::SearchPlaces places;
    places.built_in = jobs::builtInModels();
    places.hub_caches = jobs::hubCaches();
    for (const QString& folder : session_.settings().modelFolders()) places.folders.push_back(path(folder));
    if (session_.hasProject()) places.runs = session_.paths().runs();
    if (task_) task_->cancel();
    looking_ = true;
    if (!loaded_) rebuild();  // a run at work is known without the disk
    task_ = session_.surveys().run<jobs::ModelCatalogue>(
        this, [places](const JobContext& job) { return jobs::searchModels(places, job); },
        [this](Result<jobs::ModelCatalogue> result) {
            if (!result && result.error().cancelled()) return;  // another look is under way
            if (result) catalogue_ = std::move(*result);
            loaded_ = true;
            looking_ = false;
            rebuild();
        });
}

QString ModelShelf::baseLabel(const fs::path& base, const std::string& name) const {
    QString shown = text(name.empty() ? base.filename().string() : name);
    shown = shown.section(QLatin1Char('/'), -1);
    return tr("%1, base").arg(shown);
}

ModelChoice ModelShelf::choiceOf(const jobs::AdapterModel& adapter) const {
    ModelChoice choice;
    choice.has_adapter = true;
    choice.adapter = adapter.folder;
    choice.base = adapter.base;
    choice.base_label = baseLabel(adapter.base, adapter.base_name);
    choice.short_ = text(adapter.name);
    choice.label = choice.short_;
    choice.newest = adapter.newest;
    choice.template_name = adapter.template_name;
    if (adapter.run.empty()) {
        choice.key.base = adapter.base.string();
        choice.key.adapter = adapter.folder.string();
        return choice;
    }
    choice.run = adapter.run;
    choice.key.run = adapter.run.filename().string();
    choice.key.checkpoint = adapter.newest ? std::string() : adapter.folder.filename().string();
    const QString run = text(adapter.run_name), step = number(qint64(adapter.step));
    if (adapter.newest && adapter.best)
        choice.label = tr("%1 · newest and best, step %2").arg(run, step);
    else if (adapter.newest)
        choice.label = tr("%1 · newest, step %2").arg(run, step);
    else if (adapter.best)
        choice.label = tr("%1 · best, step %2").arg(run, step);
    else
        choice.label = tr("%1 · step %2").arg(run, step);
    return choice;
}

void ModelShelf::rebuild() {
    choices_.clear();
    const auto& live = session_.runs().live();
    live_folder_ = live ? live->folder : QString();
    if (live) {
        live_step_ = live->step;
        ModelChoice choice;
        choice.live = choice.has_adapter = choice.newest = true;
        choice.run = path(live->folder);
        choice.key.run = choice.run.filename().string();
        choice.label = tr("%1 · live, step %2").arg(live->name, number(live->step));
        choice.short_ = tr("%1 @ %2").arg(live->name, number(live->step));
        for (const RunEntry& entry : session_.runs().entries()) {
            if (entry.folder.filename() != choice.run.filename()) continue;
            if (const auto record = jobs::runRecord(entry.info.details)) {
                choice.base = record->base_folder;
                choice.template_name = record->recipe.training.template_name;
            }
        }
        std::string base_name;
        for (const jobs::BaseModel& base : catalogue_.bases)
            if (base.folder == choice.base) base_name = base.name;
        choice.base_label = baseLabel(choice.base, base_name);
        choices_.push_back(choice);
    }
    for (const jobs::AdapterModel& adapter : catalogue_.adapters) {
        if (!adapter.sound || adapter.base.empty()) continue;
        ModelChoice choice = choiceOf(adapter);
        if (live && adapter.newest && choice.run.filename() == path(live->folder).filename()) continue;
        const bool asked = std::find(adopted_.begin(), adopted_.end(), choice.key) != adopted_.end();
        if (adapter.run.empty() || adapter.newest || adapter.best || asked) choices_.push_back(std::move(choice));
    }
    for (const jobs::BaseModel& base : catalogue_.bases) {
        if (!base.usable) continue;
        ModelChoice choice;
        choice.base = base.folder;
        choice.key.base = base.folder.string();
        choice.label = choice.short_ = choice.base_label = baseLabel(base.folder, base.name);
        choices_.push_back(std::move(choice));
    }
    Q_EMIT changed();
}

const ModelChoice* ModelShelf::find(const project::ChatModel& key) const {
    for (const ModelChoice& choice : choices_)
        if (choice.key == key) return &choice;
    return nullptr;
}

const ModelChoice* ModelShelf::adopt(const project::ChatModel& key) {
    if (const ModelChoice* choice = find(key)) return choice;
    for (const jobs::AdapterModel& adapter : catalogue_.adapters) {
        if (adapter.run.filename().string() != key.run || key.run.empty()) continue;
        const ModelChoice choice = choiceOf(adapter);
        const bool wanted = key.checkpoint.empty()     ? adapter.newest
                            : key.checkpoint == "best" ? adapter.best
                                                       : adapter.folder.filename().string() == key.checkpoint;
        if (!wanted) continue;
        adopted_.push_back(choice.key);
        rebuild();
        return find(choice.key);
    }
    return nullptr;
}

const ModelChoice* ModelShelf::first() const {
    if (choices_.empty()) return nullptr;
    if (choices_.front().live) return &choices_.front();
    for (const ModelChoice& choice : choices_)
        if (!choice.run.empty()) return &choice;
    return &choices_.front();
}

}  // namespace studio::ui
