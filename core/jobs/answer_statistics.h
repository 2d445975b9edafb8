// How a model answers fixed prompts: whether it stops by itself, and how long its answers are.
#pragma once

#include <optional>

#include "io/json.h"
#include "jobs/chat.h"
#include "jobs/statistics.h"

namespace studio::jobs {

struct AnswerRequest {
    std::vector<std::string> prompts;
    int max_new_tokens = 128;
    double temperature = 0.7, top_p = 0.9;
    std::uint64_t seed = 42;  // prompt i is answered with seed + i, so that answers can be had again
};

struct AnswerSide {
    std::int64_t by_itself = 0;          // of all answers
    Estimate share;                      // of by_itself; interval by Wilson's score
    double mean_tokens = 0;              // new ones, the end token not counted
    std::vector<std::int64_t> tokens;    // of each answer
    std::vector<std::string> text, end;  // of each answer
};

struct AnswerStatistics {
    AnswerRequest request;
    AnswerSide model;                // with its adapter, or the base alone
    std::optional<AnswerSide> base;  // beside an adapter
};

// Share of successes with its 95 % interval by Wilson's score (Wilson 1927), which holds for small counts too.
Estimate shareOf(std::int64_t successes, std::int64_t count);

// `adapted`: the model has an adapter, both sides are asked.
Result<AnswerStatistics> measureAnswers(const Chatter& chatter, const AnswerRequest& request, bool adapted,
                                        const JobContext& job);

io::Json toJson(const AnswerStatistics& statistics);
Result<AnswerStatistics> answerStatisticsFromJson(const io::Json& json);

}  // namespace studio::jobs
