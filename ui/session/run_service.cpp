#include "ui/session/run_service.h"

#include <QDateTime>
#include <QTimer>
#include <cmath>

#include "config/presets.h"
#include "config/recipe_file.h"
#include "io/file_lock.h"
#include "jobs/places.h"
#include "ui/look/format.h"
#include "ui/session/run_feed.h"

namespace studio::ui {
namespace {

namespace fs = std::filesystem;

constexpr int kLookEvery = 34;      // ms
constexpr std::size_t kRateOf = 8;  // last steps that the time left is measured on
constexpr int kRateNeeds = 3;

struct Listed {
    std::vector<RunEntry> entries;
    std::vector<std::string> notes;
};

Listed readEntries(const fs::path& folder) {
    Listed listed;
    for (project::ListedRun& run : project::listRuns(folder, &listed.notes)) {
        RunEntry entry;
        entry.folder = run.folder;
        entry.info = std::move(run.info);
        // Its process went away before it could begin.
        if (entry.info.state == project::RunState::Queued && !io::FileLock::isHeld(entry.folder / "run.lock"))
            entry.info.state = project::RunState::Interrupted;
        if (const auto total = entry.info.details.find("total_steps");
            total != entry.info.details.end() && total->is_number_integer())
            entry.total = total->get<std::int64_t>();
        if (const auto metrics = project::readMetrics(entry.folder)) {
            if (!metrics->steps.empty()) {
                entry.steps = metrics->steps.back().step;
                entry.train_loss = metrics->steps.back().loss;
            }
            if (!metrics->evaluations.empty()) entry.eval_loss = metrics->evaluations.back().eval_loss;
        }
        listed.entries.push_back(std::move(entry));
    }
    return listed;
}

}  // namespace

QStringList treesOf(const std::vector<project::Conversation>& conversations) {
    QStringList trees;
    for (const project::Conversation& one : conversations)
        if (!trees.contains(text(one.tree))) trees << text(one.tree);
    return trees;
}

RunService::RunService(EngineThread& engine, TaskThread& files, std::shared_ptr<Logger> log, QObject* parent)
    : QObject(parent), engine_(engine), files_(files), log_(std::move(log)), look_(new QTimer(this)) {
    look_->setInterval(kLookEvery);
    connect(look_, &QTimer::timeout, this, &RunService::look);
}

RunService::~RunService() {
    if (feed_) feed_->answerSave(false);
    if (mailbox_) mailbox_->stopAfterStep();
}

void RunService::openProject(const project::ProjectPaths& paths) {
    paths_ = paths;
    open_ = true;
    refresh();
}

void RunService::closeProject() {
    open_ = listed_ = false;
    entries_.clear();
    unreadable_.clear();
    Q_EMIT entriesChanged();
}

Result<void> RunService::start(const config::Recipe& recipe, const QString& name, const fs::path& config_file) {
    jobs::TrainRequest request;
    request.recipe = recipe;
    request.config_file = config_file;
    request.output_dir = paths_.runs() / project::folderName(utf8(name));
    if (project::isRunFolder(request.output_dir))
        return fail(ErrorCode::AlreadyExists, utf8(tr("There is a run named “%1” already.").arg(name)),
                    utf8(tr("Choose another name.")));
    request.recipe.training.run_name = utf8(name);
    return launch(std::move(request), name);
}

Result<void> RunService::resume(const fs::path& run_folder, const std::optional<RunChange>& change) {
    STUDIO_TRY(const project::RunInfo info, project::readRun(run_folder));
    STUDIO_TRY(const jobs::RunRecord record, jobs::runRecord(info.details));
    jobs::TrainRequest request;
    request.recipe = record.recipe;
    if (change) STUDIO_CHECK(config::setFromText(request.recipe, change->key, change->value));
    request.output_dir = run_folder;
    request.model_folder = record.base_folder;
    request.resume_from_checkpoint = "latest";
    return launch(std::move(request), text(info.name));
}

Result<void> RunService::startAgain(const fs::path& run_folder, const RunChange& change, const fs::path& config_file) {
    STUDIO_TRY(const project::RunInfo info, project::readRun(run_folder));
    STUDIO_TRY(const jobs::RunRecord record, jobs::runRecord(info.details));
    config::Recipe recipe = record.recipe;
    STUDIO_CHECK(config::setFromText(recipe, change.key, change.value));
    return start(recipe, nameForNewRun(text(info.name)), config_file);
}

Result<void> RunService::launch(jobs::TrainRequest request, const QString& name) {
    if (active())
        return fail(ErrorCode::Busy, utf8(tr("The run “%1” is active.").arg(live_->name)),
                    utf8(tr("Wait until it ends, or stop it first.")));
    live_.emplace();
    live_->name = name;
    live_->folder = pathText(request.output_dir);
    live_->state = project::RunState::Preparing;
    live_->phase = tr("Waiting for the engine");
    mailbox_ = std::make_shared<engine::api::Mailbox>();
    feed_ = std::make_shared<RunFeed>();
    recent_.clear();
    EngineThread& engine_thread = engine_;
    const std::function<Result<jobs::TrainSummary>(engine::api::Engine&, const JobContext&)> work =
        [request = std::move(request), feed = feed_, mailbox = mailbox_, log = log_, &engine_thread, name](
            engine::api::Engine& engine, const JobContext& job) {
            engine_thread.unloadNow();
            const auto device = engine.deviceFor(request.recipe.training.device);
            engine_thread.tellHeld(EngineThread::Held{name, 0, device ? *device : engine::api::DeviceInfo{}});
            const JobContext context{job.stop, [feed](const Progress& p) { feed->phase(p); }};
            auto result = jobs::train(engine, request, *feed, *mailbox, log, context);
            engine_thread.tellHeld(std::nullopt);
            return result;
        };
    task_ = engine_.run<jobs::TrainSummary>(this, tr("Training %1").arg(name), work,
                                            [this](Result<jobs::TrainSummary> result) { finish(std::move(result)); });
    look_->start();
    Q_EMIT stateChanged();
    return {};
}

void RunService::finish(Result<jobs::TrainSummary> result) {
    look();
    look_->stop();
    RunEnd end;
    end.folder = live_->folder;
    if (result)
        end.summary = std::move(*result);
    else
        end.error = std::move(result.error());
    live_.reset();
    stepping_ = false;
    tokenizer_.reset();
    mailbox_.reset();
    feed_.reset();
    refresh();
    Q_EMIT stateChanged();
    Q_EMIT ended(end);
}

// Follows what the run told since the last look.
void RunService::look() {
    if (!live_ || !feed_) return;
    RunFeed::News news = feed_->take();
    LiveRun& live = *live_;
    bool changed = false;
    const auto set = [&changed](auto& member, auto value) {
        if (member == value) return;
        member = std::move(value);
        changed = true;
    };
    if (news.ready) {
        tokenizer_ = news.tokenizer;
        template_name_ = news.template_name;
        live.total = news.total;
        live.step = live.first_step = news.first_step;
        live.checkpoint_step = news.first_step > 0 ? news.first_step : -1;
        live.since_checkpoint.start();
        live.device = text(news.device.name);
        live.card = news.device.uuid;
        changed = true;
        refresh();
    }
    if (news.phase) {
        set(live.phase, text(news.phase->phase));
        set(live.done, static_cast<quint64>(news.phase->done));
        set(live.total_units, static_cast<quint64>(news.phase->total));
    }
    if (news.stepping) {
        stepping_ = *news.stepping;
        if (stepping_ && live.state == project::RunState::Preparing) live.state = project::RunState::Running;
        if (!stepping_ && live.state == project::RunState::Running) live.phase = tr("Measuring held-out loss");
        changed = true;
    }
    if (news.updates_skipped) {
        live.trouble = text(news.updates_skipped->error.message);
        live.trouble_hint = text(news.updates_skipped->error.hint);
        live.trouble_trees = treesOf(news.updates_skipped->conversations);
        changed = true;
    }
    if (news.paused) {
        live.pausing = false;
        if (!*news.paused) {
            live.trouble.clear();
            live.trouble_hint.clear();
            live.trouble_trees.clear();
        }
        if (live.state != project::RunState::Stopping)
            live.state = *news.paused ? project::RunState::Paused : project::RunState::Running;
        changed = true;
    }
    for (const project::StepRecord& s : news.steps) {
        live.step = s.step;
        live.epoch = s.epoch;
        if (std::isfinite(s.loss)) live.loss = s.loss;
        live.elapsed += s.seconds;
        recent_.push_back({s.seconds, static_cast<double>(s.tokens)});
        if (recent_.size() > kRateOf) recent_.pop_front();
    }
    if (!news.steps.empty()) {
        measureRate();
        changed = true;
        Q_EMIT steps(news.steps);
    }
    for (const project::EvalRecord& e : news.evaluations) {
        live.eval_loss = e.eval_loss;
        changed = true;
        Q_EMIT evaluation(e);
    }
    for (const project::SampleRecord& s : news.samples) Q_EMIT sample(s);
    for (const std::string& sentence : news.notices) Q_EMIT notice(text(sentence));
    if (news.checkpoint) {
        live.checkpoint_step = *news.checkpoint;
        live.since_checkpoint.start();
        live.save_error.clear();
        changed = true;
    }
    if (news.save_error) {
        live.save_error = joined(text(news.save_error->message), text(news.save_error->hint));
        changed = true;
    }
    if (changed) Q_EMIT stateChanged();
}

void RunService::measureRate() {
    double seconds = 0, tokens = 0;
    for (const Rate& r : recent_) {
        seconds += r.seconds;
        tokens += r.tokens;
    }
    if (recent_.size() < kRateNeeds || seconds <= 0) return;
    live_->tokens_per_s = tokens / seconds;
    live_->seconds_left =
        static_cast<double>(live_->total - live_->step) * seconds / static_cast<double>(recent_.size());
}

void RunService::pause() {
    if (!live_ || !stepping_ || live_->state != project::RunState::Running) return;
    mailbox_->pause();
    live_->pausing = true;
    Q_EMIT stateChanged();
}

void RunService::unpause() {
    if (!live_ || !mailbox_) return;
    mailbox_->resume();
    live_->pausing = false;
    Q_EMIT stateChanged();
}

void RunService::stopAfterStep() {
    if (!live_) return;
    if (!stepping_) return stopNow();
    live_->state = project::RunState::Stopping;
    live_->pausing = false;
    mailbox_->stopAfterStep();
    Q_EMIT stateChanged();
}

void RunService::stopNow() {
    if (!live_ || !task_) return;
    live_->state = project::RunState::Stopping;
    feed_->answerSave(false);
    task_->cancel();
    mailbox_->stopAfterStep();
    Q_EMIT stateChanged();
}

void RunService::retrySave() {
    if (!live_ || live_->save_error.isEmpty()) return;
    live_->save_error.clear();
    feed_->answerSave(true);
    Q_EMIT stateChanged();
}

void RunService::giveUpSaving() {
    if (!live_ || live_->save_error.isEmpty()) return;
    live_->save_error.clear();
    live_->state = project::RunState::Stopping;
    feed_->answerSave(false);
    Q_EMIT stateChanged();
}

bool RunService::post(std::shared_ptr<engine::api::LiveTask> task) {
    if (!live_ || !stepping_ || live_->state == project::RunState::Stopping) return false;
    mailbox_->post(std::move(task));
    return true;
}

void RunService::refresh() {
    if (!open_) return;
    files_.run<Listed>(
        this, [folder = paths_.runs()](const JobContext&) -> Result<Listed> { return readEntries(folder); },
        [this](Result<Listed> listed) {
            if (!open_ || !listed) return;
            listed_ = true;
            entries_ = std::move(listed->entries);
            unreadable_.clear();
            for (const std::string& note : listed->notes) unreadable_ << text(note);
            Q_EMIT entriesChanged();
        });
}

Result<void> RunService::remove(const fs::path& run_folder) {
    if (live_ && path(live_->folder) == run_folder)
        return fail(ErrorCode::Busy, utf8(tr("The run “%1” is active.").arg(live_->name)), utf8(tr("Stop it first.")));
    const fs::path trash = paths_.folder / "trash";
    std::error_code ec;
    fs::create_directories(trash, ec);
    const QString stamp = QDateTime::currentDateTime().toString(QStringLiteral("yyyyMMdd-HHmmss"));
    if (!ec) fs::rename(run_folder, trash / (run_folder.filename().string() + "-" + utf8(stamp)), ec);
    if (ec)
        return fail(ErrorCode::Io,
                    utf8(tr("The run “%1” could not be moved to the trash: %2.")
                             .arg(pathText(run_folder.filename()), text(ec.message()))),
                    utf8(tr("Check the rights of the project's folder.")));
    refresh();
    return {};
}

QString RunService::nameForNewRun(const QString& preset) const {
    const QString base = preset.isEmpty() ? tr("run") : preset;
    for (int i = 1;; ++i) {
        const QString name = i == 1 ? base : QStringLiteral("%1-%2").arg(base).arg(i);
        std::error_code ec;
        if (!fs::exists(paths_.runs() / project::folderName(utf8(name)), ec)) return name;
    }
}

}  // namespace studio::ui
