// A run's checkpoint against its base on the conversations that the run held out.
#pragma once

#include "engine/api/engine.h"
#include "jobs/evaluation_record.h"
#include "jobs/run_record.h"

namespace studio::jobs {

struct EvaluateRunRequest {
    std::filesystem::path run;
    std::filesystem::path checkpoint;  // empty: the newest
    bool base_only = false;            // the base alone, on what the run held out
    int answers = 24;                  // held-out prompts to be answered; 0: none
    int max_new_tokens = 128;
    std::string device = "auto";
    int threads = 0;
};

// What would be measured, known without the model.
struct EvaluationPlan {
    std::string run_name;
    RunRecord record;
    std::filesystem::path checkpoint;
    std::int64_t step = 0;
    std::vector<std::string> data;  // names of the files
    std::int64_t held_out = 0;      // examples
};
// Errors: no such run, no complete checkpoint, nothing held out, base or data gone.
Result<EvaluationPlan> planEvaluation(const EvaluateRunRequest& request);

Result<EvaluationRecord> evaluateRun(engine::api::Engine& engine, const EvaluateRunRequest& request,
                                     const JobContext& job);

}  // namespace studio::jobs
