#include "project/run_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "io/append_file.h"
#include "io/file.h"
#include "io/line_reader.h"
#include "project/event_file.h"
#include "project/metrics_line.h"

namespace studio::project {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostEventBytes = 1ull << 32;

double wallTime() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string eventFileName() {
    char host[256] = {};
    if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        return fmt::format("{}{:.0f}.host", kEventFilePrefix, wallTime());
    std::string name = host;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '/' || c == ' '; }, '-');
    return fmt::format("{}{:.0f}.{}", kEventFilePrefix, wallTime(), name);
}

std::vector<fs::path> eventFiles(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (it->path().filename().string().starts_with(kEventFilePrefix)) files.push_back(it->path());
    std::sort(files.begin(), files.end());
    return files;
}

struct Cut {
    std::uint64_t bytes = 0;     // to keep
    std::int64_t last_step = 0;  // optimizer step of the last line kept
};

// The part of a JSON-lines file with records of steps ≤ `step`. A last line without its newline was being written when
// the process died, and goes.
template <class StepOf>
Result<Cut> findCut(const fs::path& path, std::int64_t step, std::vector<std::string>& notes, StepOf step_of) {
    Cut cut;
    std::error_code error;
    if (!fs::exists(path, error)) return cut;
    STUDIO_TRY(io::LineReader reader, io::LineReader::open(path));
    for (;;) {
        STUDIO_TRY(const auto line, reader.next());
        cut.bytes = line ? line->offset : reader.fileSize();
        if (!line || line->unterminated) return cut;
        const auto name = fmt::format("{}, line {}", path.filename().string(), line->number);
        const auto at = step_of(line->text, name, cut);
        if (!at)
            notes.push_back(at.error().message);
        else if (*at > step)
            return cut;
    }
}

Result<std::int64_t> stepOfMetrics(std::string_view text, std::string_view name, Cut& cut, std::int64_t keep) {
    STUDIO_TRY(const MetricsLine line, parseMetricsLine(text, name));
    if (line.evaluation) return line.evaluation->step;
    if (line.step->step <= keep) cut.last_step = line.step->step;
    return line.step->step;
}

}  // namespace

struct RunLog::State {
    std::shared_ptr<io::FileOps> ops;
    fs::path folder;
    std::optional<io::AppendFile> metrics, samples, events;
    std::vector<std::string> notes;

    Result<void> refuseExisting() const {
        for (const char* name : {"metrics.jsonl", "samples.jsonl"}) {
            std::error_code error;
            const auto size = fs::file_size(folder / name, error);
            if (error || size == 0) continue;
            return fail(ErrorCode::AlreadyExists, fmt::format("{} is there already.", (folder / name).string()),
                        "Resume the run, or choose another folder.");
        }
        return {};
    }

    Result<void> openMetrics(std::int64_t keep) {
        const fs::path path = folder / "metrics.jsonl";
        const auto step_of = [keep](auto text, auto& name, Cut& c) { return stepOfMetrics(text, name, c, keep); };
        STUDIO_TRY(const Cut cut, findCut(path, keep, notes, step_of));
        if (keep > 0 && cut.last_step != keep) {
            notes.push_back(
                fmt::format("{} ends at step {}, but the run continues after step {}; the steps between are "
                            "not in the log.",
                            path.string(), cut.last_step, keep));
        }
        STUDIO_TRY(metrics, io::AppendFile::open(ops, path, cut.bytes));
        return {};
    }

    Result<void> openSamples(std::int64_t keep) {
        const fs::path path = folder / "samples.jsonl";
        std::error_code error;
        if (!fs::exists(path, error)) return {};  // made with the first sample
        const auto step_of = [](auto text, auto& name, Cut&) -> Result<std::int64_t> {
            STUDIO_TRY(const SampleRecord record, parseSampleLine(text, name));
            return record.step;
        };
        STUDIO_TRY(const Cut cut, findCut(path, keep, notes, step_of));
        STUDIO_TRY(samples, io::AppendFile::open(ops, path, cut.bytes));
        return {};
    }

    // Every event file is cut; the newest is continued.
    Result<void> openEvents(std::int64_t keep) {
        std::vector<fs::path> files = eventFiles(folder);
        if (files.empty()) files.push_back(folder / eventFileName());
        for (const fs::path& path : files) {
            std::error_code error;
            std::uint64_t bytes = 0;
            if (fs::exists(path, error)) {
                STUDIO_TRY(const std::string content, io::readFile(path, kMostEventBytes));
                bytes = eventBytesUpTo(content, keep);
            }
            STUDIO_TRY(events, io::AppendFile::open(ops, path, bytes));
        }
        if (events->size() == 0) STUDIO_CHECK(events->append(eventFileVersion(wallTime())));
        return {};
    }
};

RunLog::RunLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunLog::RunLog(RunLog&&) noexcept = default;
RunLog& RunLog::operator=(RunLog&&) noexcept = default;
RunLog::~RunLog() = default;

Result<RunLog> RunLog::open(std::shared_ptr<io::FileOps> ops, const fs::path& run_folder,
                            std::optional<std::int64_t> keep_steps) {
    auto state = std::make_unique<State>();
    state->ops = std::move(ops);
    state->folder = run_folder;
    if (!keep_steps) STUDIO_CHECK(state->refuseExisting());
    const std::int64_t keep = keep_steps.value_or(-1);
    STUDIO_CHECK(state->openMetrics(keep));
    STUDIO_CHECK(state->openSamples(keep));
    STUDIO_CHECK(state->openEvents(keep));
    STUDIO_CHECK(io::syncFolder(*state->ops, run_folder));
    return RunLog(std::move(state));
}

Result<void> RunLog::step(const StepRecord& record) {
    STUDIO_CHECK(state_->metrics->append(formatLine(record)));
    const Scalar scalars[] = {{"train/loss", record.loss},
                              {"train/learning_rate", record.learning_rate},
                              {"train/grad_norm", record.grad_norm}};
    return state_->events->append(eventScalars(wallTime(), record.step, scalars));
}

Result<void> RunLog::evaluation(const EvalRecord& record) {
    STUDIO_CHECK(state_->metrics->append(formatLine(record)));
    const Scalar scalars[] = {{"eval/loss", record.eval_loss}};
    return state_->events->append(eventScalars(wallTime(), record.step, scalars));
}

Result<void> RunLog::sample(const SampleRecord& record) {
    if (!state_->samples) {
        STUDIO_TRY(state_->samples, io::AppendFile::open(state_->ops, state_->folder / "samples.jsonl"));
        STUDIO_CHECK(io::syncFolder(*state_->ops, state_->folder));
    }
    return state_->samples->append(formatLine(record));
}

Result<void> RunLog::sync() {
    for (auto* file : {&state_->metrics, &state_->samples, &state_->events})
        if (*file) STUDIO_CHECK((*file)->sync());
    return {};
}

const std::vector<std::string>& RunLog::notes() const {
    return state_->notes;
}

}  // namespace studio::project
