// What --model_path, --adapter and the quantisation options name together: a base, maybe an adapter, maybe a run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/job.h"
#include "engine/api/engine.h"
#include "jobs/run_record.h"
#include "text/chat_template.h"

namespace studio::jobs {

struct ModelRequest {
    std::string model_path;    // base model folder, merged model, or run folder
    std::string adapter;       // PEFT folder or checkpoint; empty: the run's newest checkpoint, or none
    std::string qlora_config;  // file; empty: what the run records, else NF4 with double quantisation
    std::optional<bool> load_in_4bit;
    std::string device = "auto";
    int threads = 0;
};

struct ResolvedModel {
    std::filesystem::path base;
    std::filesystem::path adapter;  // empty: none
    std::optional<RunRecord> run;
    engine::api::ModelSource source;
    std::string template_name;  // the run's, else "openassistant"
    std::vector<std::string> notices;
};

Result<ResolvedModel> resolveModel(const ModelRequest& request);

// Loads base and adapter.
Result<std::unique_ptr<engine::api::Model>> loadModel(engine::api::Engine& engine, const ResolvedModel& resolved,
                                                      const JobContext& job);

}  // namespace studio::jobs
