#include "ui/evaluate/evaluations_presenter.h"

#include <cmath>

#include "project/checkpoint.h"
#include "project/run_log.h"
#include "ui/look/format.h"
#include "ui/session/session.h"

namespace studio::ui {
namespace {

namespace fs = std::filesystem;

constexpr QLatin1String kWork("evaluation");

std::vector<EvaluationsPresenter::Checkpoint> checkpointsOf(const fs::path& run) {
    std::vector<EvaluationsPresenter::Checkpoint> all;
    const auto metrics = project::readMetrics(run);
    for (const project::FoundCheckpoint& found : project::listCheckpoints(run)) {
        EvaluationsPresenter::Checkpoint one{found.folder, found.step, false, {}};
        if (metrics) {
            for (const auto& record : metrics->evaluations) {
                if (record.step == found.step && std::isfinite(record.eval_loss)) one.loss = record.eval_loss;
            }
        }
        all.insert(all.begin(), one);
    }
    const auto best = std::min_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.loss.value_or(INFINITY) < b.loss.value_or(INFINITY);
    });
    if (best != all.end() && best->loss) best->best = true;
    return all;
}

struct Listed {
    std::vector<EvaluationsPresenter::Kept> kept;
    std::vector<std::string> notes;
};

}  // namespace

EvaluationsPresenter::EvaluationsPresenter(Session& session, QObject* parent) : QObject(parent), session_(session) {
    connect(this, &EvaluationsPresenter::runningChanged, this, &EvaluationsPresenter::tellBoard);
    connect(&session, &Session::projectClosed, this, [this] {
        cancel();
        kept_.clear();
        unreadable_.clear();
        selected_.clear();
        listed_ = false;
        Q_EMIT listChanged();
        Q_EMIT selectionChanged();
    });
}

EvaluationsPresenter::~EvaluationsPresenter() {
    session_.work().end(kWork);
}

void EvaluationsPresenter::tellBoard() {
    if (!running()) return session_.work().end(kWork);
    LongWork work;
    work.id = kWork;
    work.page = PageId::Evaluate;
    work.name = tr("Evaluating %1").arg(title_);
    if (phases_.empty()) {
        work.words = tr("waiting for the engine");
    } else {
        const Phase& now = phases_.back();
        work.words = now.name;
        if (now.total > 0) {
            work.share = double(now.done) / double(now.total);
            work.words = tr("%1, %2").arg(now.name, percent(work.share, 0));
        }
    }
    work.if_stopped = tr("Nothing of an evaluation is kept before its end.");
    work.stop = [this] { cancel(); };
    session_.work().tell(std::move(work));
}

void EvaluationsPresenter::start() {
    if (!session_.hasProject()) return;
    session_.files().run<Listed>(
        this,
        [folder = session_.paths().evaluations()](const JobContext&) -> Result<Listed> {
            Listed listed;
            for (jobs::ListedEvaluation& one : jobs::listEvaluations(folder, &listed.notes)) {
                std::error_code ec;
                const bool there = fs::exists(one.record.run, ec);
                listed.kept.push_back({std::move(one.file), std::move(one.record), there});
            }
            return listed;
        },
        [this](Result<Listed> listed) {
            if (!listed) return;
            kept_ = std::move(listed->kept);
            unreadable_.clear();
            for (const std::string& note : listed->notes) unreadable_ << text(note);
            listed_ = true;
            if (!selected() && !kept_.empty()) selected_ = kept_.front().file;
            Q_EMIT listChanged();
            Q_EMIT selectionChanged();
        });
}

void EvaluationsPresenter::select(const fs::path& file) {
    if (file == selected_) return;
    selected_ = file;
    Q_EMIT selectionChanged();
}

const EvaluationsPresenter::Kept* EvaluationsPresenter::selected() const {
    for (const Kept& one : kept_) {
        if (one.file == selected_) return &one;
    }
    return nullptr;
}

void EvaluationsPresenter::ask(const jobs::EvaluateRunRequest& request) {
    if (asking_) asking_->cancel();
    asking_ = session_.surveys().run<Offer>(
        this,
        [request](const JobContext&) -> Result<Offer> {
            Offer offer;
            offer.run = request.run;
            offer.checkpoints = checkpointsOf(request.run);
            jobs::EvaluateRunRequest wanted = request;
            if (wanted.checkpoint.empty() && !wanted.base_only) {
                for (const Checkpoint& one : offer.checkpoints)
                    if (one.best || wanted.checkpoint.empty()) wanted.checkpoint = one.folder;
            }
            offer.checkpoint = wanted.checkpoint;
            auto plan = jobs::planEvaluation(wanted);
            if (plan)
                offer.plan = std::move(*plan);
            else
                offer.problem = plan.error();
            return offer;
        },
        [this](Result<Offer> offer) {
            if (!offer) return;
            offer_ = std::move(*offer);
            Q_EMIT offered();
        });
}

void EvaluationsPresenter::run(const jobs::EvaluateRunRequest& request, const QString& title) {
    if (task_) return;
    title_ = title;
    phases_.clear();
    auto* engine = &session_.engine();
    task_ = engine->run<fs::path>(
        this, tr("Evaluating %1").arg(title),
        [engine, request, title, folder = session_.paths().evaluations()](engine::api::Engine& device,
                                                                          const JobContext& job) -> Result<fs::path> {
            engine->unloadNow();  // two models at once may not fit
            engine->tellHeld(EngineThread::Held{title, 0, {}});
            const auto record = jobs::evaluateRun(device, request, job);
            engine->tellHeld(std::nullopt);
            if (!record) return fail(record.error());
            return jobs::saveEvaluation(*io::realFileOps(), folder, *record);
        },
        [this](Result<fs::path> file) { finished(std::move(file)); });
    connect(task_, &Task::progress, this, &EvaluationsPresenter::progress);
    Q_EMIT runningChanged();
}

void EvaluationsPresenter::progress(const studio::Progress& value) {
    const QString name = text(value.phase);
    if (phases_.empty() || phases_.back().name != name) {
        if (!phases_.empty()) phases_.back().done = phases_.back().total;
        phases_.push_back({name, 0, 0, {}});
    }
    phases_.back().done = value.done;
    phases_.back().total = value.total;
    phases_.back().unit = text(value.unit);
    Q_EMIT runningChanged();
}

void EvaluationsPresenter::cancel() {
    if (!task_) return;
    task_->cancel();
    task_ = nullptr;  // what it still says is of no interest
    phases_.clear();
    Q_EMIT runningChanged();
}

void EvaluationsPresenter::finished(Result<fs::path> file) {
    if (!task_) return;
    task_ = nullptr;
    phases_.clear();
    if (file) {
        selected_ = *file;
        start();
        Q_EMIT measured();
    } else if (!file.error().cancelled()) {
        session_.messages().fail(QStringLiteral("evaluate"), file.error());
    }
    Q_EMIT runningChanged();
}

}  // namespace studio::ui
