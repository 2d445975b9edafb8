#include "ui/recipe/consequences.h"

#include "ui/look/format.h"

namespace studio::ui {
namespace {

constexpr int kPause = 200;                        // ms after the last change
constexpr std::int64_t kSmallModel = 50'000'000;   // parameters: measured without being asked
constexpr std::int64_t kLargeModel = 500'000'000;  // what is loaded has to go before such a one

struct Computed {
    jobs::Preview preview;
    quint64 free_bytes = 0;
};

}  // namespace

Consequences::Consequences(Session& session, QObject* parent)
    : QObject(parent), session_(session), cache_(std::make_shared<jobs::PreviewCache>()) {
    timer_.setSingleShot(true);
    timer_.setInterval(kPause);
    connect(&timer_, &QTimer::timeout, this, &Consequences::compute);
    connect(&session.recipe(), &RecipeDocument::changed, this, &Consequences::later);
    connect(&session, &Session::corpusChanged, this, &Consequences::later);
    connect(&session, &Session::projectOpened, this, &Consequences::later);
    connect(&session.cards(), &CardWatch::changed, this, &Consequences::openForPlan);
    connect(&session.engine(), &EngineThread::changed, this, [this] {
        if (!planner_ && session_.engine().opened()) {
            planner_ = session_.engine().opened();
            later();
        }
    });
    connect(&session, &Session::projectClosed, this, [this] {
        timer_.stop();
        if (task_) task_->cancel();
        cancelMeasure();
        preview_.reset();
        measurement_.reset();
        measure_error_.reset();
        Q_EMIT changed();
    });
}

Consequences::~Consequences() {
    if (task_) task_->cancel();
    if (measure_task_) measure_task_->cancel();
}

void Consequences::wake() {
    if (awake_) return;
    awake_ = true;
    planner_ = session_.engine().opened();
    if (session_.hasProject()) later();
    session_.cards().known() ? openForPlan() : session_.cards().refresh();
}

// With a card in the machine its memory is planned from the start, which the engine does; without one the engine is
// opened when a job needs it.
void Consequences::openForPlan() {
    if (!awake_ || opening_ || planner_ || session_.cards().cards().empty() || !session_.hasProject() ||
        session_.recipe().recipe().training.device == "cpu")
        return;
    opening_ = true;  // once: what is missing is said by whoever needs it
    session_.engine().run<bool>(this, tr("Opening the engine"),
                                [](engine::api::Engine&, const JobContext&) -> Result<bool> { return true; }, {});
}

QString Consequences::noPlan() const {
    if (session_.recipe().recipe().training.device == "cpu" || !awake_) return {};
    if (preview_ && preview_->memory_error)
        return joined(text(preview_->memory_error->message), text(preview_->memory_error->hint));
    if (const auto& problem = session_.cards().problem())
        return tr("%1 The processor computes.").arg(text(problem->message));
    if (!session_.cards().cards().empty() && planner_ && session_.engine().device()->kind == "cpu")
        return tr("The engine does not use the card; the processor computes.");
    return {};
}

void Consequences::later() {
    measure_error_.reset();
    if (!awake_ || !session_.hasProject()) return;
    stale_ = true;
    if (task_) task_->cancel();
    timer_.start();
    Q_EMIT changed();
}

void Consequences::compute() {
    if (!session_.hasProject()) return;
    task_ = thread_.run<Computed>(
        this,
        [recipe = session_.recipe().recipe(), file = session_.recipe().configFile(), runs = session_.paths().runs(),
         cache = cache_, planner = planner_](const JobContext& job) -> Result<Computed> {
            Computed computed;
            STUDIO_TRY(computed.preview, jobs::preview(recipe, file, *cache, job, planner));
            std::error_code ec;
            const auto space = std::filesystem::space(runs, ec);
            if (!ec) computed.free_bytes = space.available;
            return computed;
        },
        [this](Result<Computed> computed) {
            if (!computed && computed.error().cancelled()) return;  // a newer one follows
            stale_ = false;
            if (computed) {
                preview_ = std::move(computed->preview);
                free_bytes_ = computed->free_bytes;
            } else {
                preview_.emplace();
                preview_->model_error = computed.error();
            }
            Q_EMIT changed();
            measureIfCheap();
        });
}

const jobs::Measurement* Consequences::measurement() const {
    if (!measurement_ || measurement_->key != jobs::measurementKey(session_.recipe().recipe())) return nullptr;
    return &*measurement_;
}

std::optional<double> Consequences::seconds() const {
    const jobs::Measurement* measured_now = measurement();
    if (!measured_now || !run()) return std::nullopt;
    return jobs::estimatedSeconds(*run(), *measured_now);
}

// A small model on an engine that is open and idle costs a moment; opening the engine is the person's choice.
void Consequences::measureIfCheap() {
    if (measurement() || measuring_ || !run() || !model()) return;
    const bool idle = session_.engine().device() && session_.engine().busyWith().isEmpty() && !session_.runs().active();
    if (idle && measured_once_ && model()->base_parameters < kSmallModel) measure();
}

void Consequences::measure() {
    if (measuring_ || !session_.hasProject()) return;
    measuring_ = true;
    measure_error_.reset();
    phase_.clear();
    const bool large = model() && model()->base_parameters > kLargeModel;
    EngineThread& engine = session_.engine();
    measure_task_ = engine.run<jobs::Measurement>(
        this, tr("Dry run"),
        [recipe = session_.recipe().recipe(), file = session_.recipe().configFile(), large, &engine](
            engine::api::Engine& opened, const JobContext& job) -> Result<jobs::Measurement> {
            if (large) engine.unloadNow();
            engine.tellHeld(EngineThread::Held{tr("Dry run"), 0, {}});
            auto measured = jobs::measure(opened, recipe, file, job);
            engine.tellHeld(std::nullopt);
            return measured;
        },
        [this](Result<jobs::Measurement> result) {
            measuring_ = false;
            measured_once_ = measured_once_ || result.has_value();
            if (result) {
                measurement_ = std::move(*result);
            } else if (!result.error().cancelled()) {
                measure_error_ = std::move(result).error();
            }
            Q_EMIT changed();
            Q_EMIT measured();
        });
    connect(measure_task_, &Task::progress, this, [this](const Progress& progress) {
        phase_ = QString::fromStdString(progress.phase);
        Q_EMIT changed();
    });
    Q_EMIT changed();
}

void Consequences::take(jobs::Measurement measurement) {
    measurement_ = std::move(measurement);
    Q_EMIT changed();
}

void Consequences::take(engine::api::MemoryUse plan) {
    if (preview_) preview_->memory = std::move(plan);
    Q_EMIT changed();
}

void Consequences::cancelMeasure() {
    if (measure_task_) measure_task_->cancel();
}

}  // namespace studio::ui
