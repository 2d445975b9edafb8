#include <fmt/format.h>

#include <system_error>

#include "io/line_reader.h"
#include "project/metrics_line.h"
#include "project/run_log.h"

namespace studio::project {
namespace {

// Every whole line; the last one may be torn, or in the middle of being written by a run at work.
template <class Use>
Result<void> readLines(const std::filesystem::path& path, Use use) {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error) return {};
    STUDIO_TRY(io::LineReader reader, io::LineReader::open(path, {.growing = true}));
    for (;;) {
        STUDIO_TRY(const auto line, reader.next());
        if (!line || line->unterminated) return {};
        STUDIO_CHECK(use(line->text, fmt::format("{}, line {}", path.string(), line->number)));
    }
}

}  // namespace

Result<Metrics> readMetrics(const std::filesystem::path& run_folder) {
    Metrics metrics;
    STUDIO_CHECK(readLines(run_folder / "metrics.jsonl", [&](auto text, const std::string& name) -> Result<void> {
        STUDIO_TRY(const MetricsLine line, parseMetricsLine(text, name));
        if (line.step) metrics.steps.push_back(*line.step);
        if (line.evaluation) metrics.evaluations.push_back(*line.evaluation);
        return {};
    }));
    return metrics;
}

Result<std::vector<SampleRecord>> readSamples(const std::filesystem::path& run_folder) {
    std::vector<SampleRecord> samples;
    STUDIO_CHECK(readLines(run_folder / "samples.jsonl", [&](auto text, const std::string& name) -> Result<void> {
        STUDIO_TRY(SampleRecord record, parseSampleLine(text, name));
        samples.push_back(std::move(record));
        return {};
    }));
    return samples;
}

}  // namespace studio::project
