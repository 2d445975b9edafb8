#include "ui/runs/runs_presenter.h"

#include "ui/look/format.h"
#include "ui/session/session.h"

namespace studio::ui {

RunsPresenter::RunsPresenter(Session& session, QObject* parent) : QObject(parent), session_(session) {
    RunService& service = session.runs();
    connect(&service, &RunService::entriesChanged, this, [this] { setEntries(session_.runs().entries()); });
    connect(&service, &RunService::stateChanged, this, [this] { setLive(session_.runs().live()); });
    connect(&service, &RunService::steps, this, &RunsPresenter::appendSteps);
    connect(&service, &RunService::evaluation, this, &RunsPresenter::appendEvaluation);
    connect(&service, &RunService::sample, this, &RunsPresenter::appendSample);
    connect(&service, &RunService::notice, this, &RunsPresenter::appendNotice);
    connect(&service, &RunService::ended, this, [this](const RunEnd& end) {
        setLive(std::nullopt);
        if (path(end.folder) == selected_) reload();
    });
    connect(&session, &Session::projectClosed, this, [this] {
        entries_.clear();
        briefs_.clear();
        listed_ = false;
        select({});
        Q_EMIT runsChanged();
    });
}

void RunsPresenter::start() {
    session_.runs().refresh();
    setEntries(session_.runs().entries());
    setLive(session_.runs().live());
}

int RunsPresenter::indexOf(const std::filesystem::path& folder) const {
    for (std::size_t i = 0; i < briefs_.size(); ++i) {
        if (briefs_[i].folder == folder) return static_cast<int>(i);
    }
    return -1;
}

const LiveRun* RunsPresenter::liveSelected() const {
    return live_ && path(live_->folder) == selected_ ? &*live_ : nullptr;
}

void RunsPresenter::setEntries(const std::vector<RunEntry>& entries) {
    entries_ = entries;
    readList();
}

void RunsPresenter::readList() {
    if (reading_list_) {
        read_again_ = true;
        return;
    }
    reading_list_ = true;
    session_.files().run<std::vector<RunBrief>>(
        this,
        [entries = entries_, known = briefs_](const JobContext&) -> Result<std::vector<RunBrief>> {
            return readBriefs(entries, known);
        },
        [this](Result<std::vector<RunBrief>> read) {
            reading_list_ = false;
            if (read) briefs_ = std::move(*read);
            listed_ = listed_ || session_.runs().listed();  // before, the list is not known to be empty
            addLive();
            if (std::exchange(read_again_, false)) return readList();
            if (selected_.empty() || (indexOf(selected_) < 0 && !liveSelected())) {
                const bool live = live_ && indexOf(path(live_->folder)) >= 0;
                select(live ? path(live_->folder) : briefs_.empty() ? std::filesystem::path() : briefs_.front().folder);
            } else if (data_ && indexOf(selected_) >= 0 &&
                       data_->info.state != briefs_[std::size_t(indexOf(selected_))].info.state) {
                reload();
            }
            Q_EMIT runsChanged();
        });
}

void RunsPresenter::select(const std::filesystem::path& folder) {
    if (folder == selected_) return;
    selected_ = folder;
    data_.reset();
    read_error_.clear();
    Q_EMIT selectionChanged();
    reload();
}

void RunsPresenter::reload() {
    if (reading_) reading_->cancel();
    waiting_steps_.clear();
    waiting_evaluations_.clear();
    waiting_samples_.clear();
    if (selected_.empty()) {
        data_.reset();
        Q_EMIT dataChanged();
        return;
    }
    reading_ = session_.files().run<RunData>(
        this, [folder = selected_](const JobContext&) { return readRunData(folder); },
        [this, folder = selected_](Result<RunData> read) {
            if (folder != selected_) return;
            reading_ = nullptr;
            if (!read && read.error().cancelled()) return;
            // While it is being prepared a run has no folder yet.
            read_error_ = read || liveSelected() ? QString() : text(read.error().text());
            if (read)
                data_ = std::move(*read);
            else
                data_.reset();
            catchUp();
            Q_EMIT dataChanged();
        });
}

// A run that is still being prepared has no folder yet: it stands at the head of the list all the same.
void RunsPresenter::addLive() {
    if (!live_ || indexOf(path(live_->folder)) >= 0) return;
    RunBrief brief;
    brief.folder = path(live_->folder);
    brief.info.name = utf8(live_->name);
    brief.info.state = live_->state;
    briefs_.insert(briefs_.begin(), std::move(brief));
}

// Records that came while the folder was read and that its files did not hold yet.
void RunsPresenter::catchUp() {
    if (!data_) return;
    const qint64 last = data_->metrics.steps.empty() ? 0 : data_->metrics.steps.back().step;
    for (const auto& record : waiting_steps_) {
        if (record.step > last) data_->metrics.steps.push_back(record);
    }
    const qint64 last_eval = data_->metrics.evaluations.empty() ? -1 : data_->metrics.evaluations.back().step;
    for (const auto& record : waiting_evaluations_) {
        if (record.step > last_eval) data_->metrics.evaluations.push_back(record);
    }
    const qint64 last_sample = data_->samples.empty() ? -1 : data_->samples.back().step;
    for (const auto& record : waiting_samples_) {
        if (record.step > last_sample) data_->samples.push_back(record);
    }
    waiting_steps_.clear();
    waiting_evaluations_.clear();
    waiting_samples_.clear();
}

void RunsPresenter::setLive(const std::optional<LiveRun>& live) {
    const bool other = live.has_value() != live_.has_value() || (live && live->folder != live_->folder);
    const bool saved = live && live_ && live->checkpoint_step != live_->checkpoint_step;
    const bool state = live && live_ && (live->state != live_->state || live->phase != live_->phase);
    live_ = live;
    if (other) {
        notices_.clear();
        if (live && indexOf(path(live->folder)) < 0) {
            addLive();
            Q_EMIT runsChanged();
        }
        if (live && path(live->folder) == selected_) reload();
    }
    if (state && liveSelected() && !data_ && !reading_) reload();
    if (saved && data_ && liveSelected()) {
        session_.files().run<std::vector<CheckpointRow>>(
            this,
            [folder = selected_, metrics = project::Metrics{{}, data_->metrics.evaluations}](
                const JobContext&) -> Result<std::vector<CheckpointRow>> { return readCheckpoints(folder, metrics); },
            [this, folder = selected_](Result<std::vector<CheckpointRow>> rows) {
                if (!rows || folder != selected_ || !data_) return;
                data_->checkpoints = std::move(*rows);
                Q_EMIT checkpointsChanged();
            });
    }
    // Preparing has no folder before the run is made: the list reads it once it has.
    if (other || state) session_.runs().refresh();
    Q_EMIT liveChanged();
}

bool RunsPresenter::feeds() const {
    return liveSelected() != nullptr;
}

void RunsPresenter::appendSteps(const std::vector<project::StepRecord>& records) {
    if (!feeds() || records.empty()) return;
    if (!data_ || reading_) {
        waiting_steps_.insert(waiting_steps_.end(), records.begin(), records.end());
        if (!data_) {
            if (!reading_) reload();
            return;
        }
    }
    auto& steps = data_->metrics.steps;
    const auto first = static_cast<int>(steps.size());
    for (const auto& record : records) {
        if (steps.empty() || record.step > steps.back().step) steps.push_back(record);
    }
    if (static_cast<int>(steps.size()) > first) Q_EMIT stepsAppended(first);
}

void RunsPresenter::appendEvaluation(const project::EvalRecord& record) {
    session_.runs().refresh();  // the list shows the course so far
    if (!feeds()) return;
    if (!data_ || reading_) waiting_evaluations_.push_back(record);
    if (!data_) return;
    auto& all = data_->metrics.evaluations;
    if (!all.empty() && record.step <= all.back().step) return;
    all.push_back(record);
    Q_EMIT evaluationAppended();
}

void RunsPresenter::appendSample(const project::SampleRecord& record) {
    if (!feeds()) return;
    if (!data_ || reading_) waiting_samples_.push_back(record);
    if (!data_) return;
    data_->samples.push_back(record);
    Q_EMIT sampleAppended();
}

void RunsPresenter::appendNotice(const QString& sentence) {
    if (notices_.contains(sentence)) return;
    notices_ << sentence;
    Q_EMIT liveChanged();
}

}  // namespace studio::ui
