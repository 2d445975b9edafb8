// The lines of metrics.jsonl and samples.jsonl.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "project/run_log.h"

namespace studio::project {

// With the newline. Numbers are the shortest that read back exactly, in every locale; one that is not finite is null,
// and the line then says "skipped":true, with "conversations":[{"tree_id":…,"last_message_id":…},…] where they are
// known.
std::string formatLine(const StepRecord& record);
std::string formatLine(const EvalRecord& record);
std::string formatLine(const SampleRecord& record);

struct MetricsLine {
    std::optional<StepRecord> step;
    std::optional<EvalRecord> evaluation;
};
// `name` is for messages ("metrics.jsonl, line 7"). A null number reads as NaN.
Result<MetricsLine> parseMetricsLine(std::string_view text, std::string_view name);
Result<SampleRecord> parseSampleLine(std::string_view text, std::string_view name);

}  // namespace studio::project
