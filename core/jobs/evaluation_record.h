// An evaluation of a run as it is kept: one file each, complete or absent, in the project's folder evaluations/.
#pragma once

#include <filesystem>
#include <optional>

#include "io/file_ops.h"
#include "jobs/answer_statistics.h"
#include "jobs/losses.h"

namespace studio::jobs {

struct EvaluatedConversation {
    std::string last_message_id, prompt;  // the first prompt, as text
    std::int64_t tokens = 0;              // supervised
    double loss = 0;                      // nats a supervised token, of the model measured
    std::optional<double> base;
    std::optional<double> difference() const { return base ? std::optional(loss - *base) : std::nullopt; }
};

struct SideResult {
    double loss = 0, loss_stderr = 0, perplexity = 0;
};

// 95 % of its loss over `trees` held-out trees, as meanLoss has it.
Estimate lossOf(const SideResult& side, std::int64_t trees);

struct EvaluationRecord {
    std::string run_name;
    std::filesystem::path run;         // its folder
    std::filesystem::path checkpoint;  // empty: the base alone
    std::int64_t step = 0;
    std::string base_name, time;  // ISO 8601, UTC
    double seconds = 0;
    std::string device, template_name;
    std::vector<std::string> data;  // names of the files the trees are from
    std::int64_t trees = 0, tokens = 0;
    SideResult model;
    std::optional<SideResult> base;
    std::optional<Difference> difference;  // model − base
    std::vector<EvaluatedConversation> each;
    std::optional<AnswerStatistics> answers;
    std::vector<std::string> notices;
};

io::Json toJson(const EvaluationRecord& record);
Result<EvaluationRecord> evaluationRecord(const io::Json& json, const std::string& name);
// message id, first prompt, tokens, losses and their difference, one line a conversation.
std::string toCsv(const EvaluationRecord& record);

// Into `folder`/<time>-<run>-<step>.json, atomically. Returns the file.
Result<std::filesystem::path> saveEvaluation(io::FileOps& ops, const std::filesystem::path& folder,
                                             const EvaluationRecord& record);

struct ListedEvaluation {
    std::filesystem::path file;
    EvaluationRecord record;
};
// Newest first. Files that cannot be read are named in `notes` and left out.
std::vector<ListedEvaluation> listEvaluations(const std::filesystem::path& folder, std::vector<std::string>* notes);

}  // namespace studio::jobs
