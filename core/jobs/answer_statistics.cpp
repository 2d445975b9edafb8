#include "jobs/answer_statistics.h"

#include <cmath>

namespace studio::jobs {
namespace {

void sum(AnswerSide& side) {
    const auto count = static_cast<std::int64_t>(side.tokens.size());
    double total = 0;
    for (const std::int64_t tokens : side.tokens) total += static_cast<double>(tokens);
    side.mean_tokens = count ? total / static_cast<double>(count) : 0;
    side.share = shareOf(side.by_itself, count);
}

Result<AnswerSide> ask(const Chatter& chatter, const AnswerRequest& request, double strength, const char* phase,
                       const JobContext& job) {
    std::vector<Question> questions;
    for (std::size_t i = 0; i < request.prompts.size(); ++i) {
        Question question{{{text::Role::Prompter, request.prompts[i]}}, {}};
        question.options.max_new_tokens = request.max_new_tokens;
        question.options.temperature = request.temperature;
        question.options.top_p = request.top_p;
        question.options.seed = request.seed + i;
        question.options.adapter_strength = strength;
        questions.push_back(std::move(question));
    }
    const auto report = [&](std::size_t done) { job.report({phase, done, questions.size(), "answers"}); };
    report(0);
    STUDIO_TRY(const auto all, answers(chatter, questions, report, job));
    AnswerSide side;
    for (const Answer& a : all) {
        side.by_itself += a.byItself();
        side.tokens.push_back(a.new_tokens);
        side.text.push_back(a.text);
        side.end.push_back(endText(a));
    }
    sum(side);
    return side;
}

io::Json sideToJson(const AnswerSide& side) {
    return {{"by_itself", side.by_itself},
            {"share", {{"mean", side.share.mean}, {"low", side.share.low}, {"high", side.share.high}}},
            {"mean_tokens", side.mean_tokens},
            {"tokens", side.tokens},
            {"text", side.text},
            {"end", side.end}};
}

AnswerSide sideFromJson(const io::Json& json) {
    AnswerSide side;
    side.by_itself = json.at("by_itself").get<std::int64_t>();
    side.tokens = json.at("tokens").get<std::vector<std::int64_t>>();
    side.text = json.at("text").get<std::vector<std::string>>();
    side.end = json.at("end").get<std::vector<std::string>>();
    sum(side);
    return side;
}

}  // namespace

Estimate shareOf(std::int64_t successes, std::int64_t count) {
    Estimate share;
    if (count <= 0) return share;
    constexpr double z = 1.959963984540054;
    const auto n = static_cast<double>(count);
    const double p = static_cast<double>(successes) / n;
    const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    share.mean = p;
    share.stderr_mean = std::sqrt(p * (1 - p) / n);
    share.low = std::max(0.0, centre - half);
    share.high = std::min(1.0, centre + half);
    return share;
}

Result<AnswerStatistics> measureAnswers(const Chatter& chatter, const AnswerRequest& request, bool adapted,
                                        const JobContext& job) {
    AnswerStatistics statistics;
    statistics.request = request;
    STUDIO_TRY(statistics.model, ask(chatter, request, 1, adapted ? "Answering with the adapter" : "Answering", job));
    if (adapted) {
        STUDIO_TRY(statistics.base, ask(chatter, request, 0, "Answering with the base", job));
    }
    return statistics;
}

io::Json toJson(const AnswerStatistics& s) {
    io::Json json{{"prompts", s.request.prompts},
                  {"max_new_tokens", s.request.max_new_tokens},
                  {"temperature", s.request.temperature},
                  {"top_p", s.request.top_p},
                  {"seed", s.request.seed},
                  {"model", sideToJson(s.model)}};
    if (s.base) json["base"] = sideToJson(*s.base);
    return json;
}

Result<AnswerStatistics> answerStatisticsFromJson(const io::Json& json) {
    try {
        AnswerStatistics s;
        s.request.prompts = json.at("prompts").get<std::vector<std::string>>();
        s.request.max_new_tokens = json.at("max_new_tokens").get<int>();
        s.request.temperature = json.at("temperature").get<double>();
        s.request.top_p = json.at("top_p").get<double>();
        s.request.seed = json.at("seed").get<std::uint64_t>();
        s.model = sideFromJson(json.at("model"));
        if (json.contains("base")) s.base = sideFromJson(json.at("base"));
        return s;
    } catch (const nlohmann::json::exception& e) {
        return fail(ErrorCode::Corrupt, std::string("The answers of an evaluation cannot be read: ") + e.what() + ".",
                    "Evaluate again.");
    }
}

}  // namespace studio::jobs
