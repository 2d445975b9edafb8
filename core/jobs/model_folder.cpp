#include "jobs/model_folder.h"

#include <fmt/format.h>

#include "config/presets.h"
#include "config/recipe_file.h"
#include "jobs/adapter_folder.h"
#include "jobs/model_search.h"
#include "jobs/places.h"
#include "jobs/train_setup.h"
#include "project/checkpoint.h"
#include "project/run_folder.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

Result<void> resolveRun(const fs::path& run, ResolvedModel& resolved) {
    STUDIO_TRY(const project::RunInfo info, project::readRun(run));
    STUDIO_TRY(resolved.run, runRecord(info.details));
    resolved.base = resolved.run->base_folder;
    resolved.template_name = resolved.run->recipe.training.template_name;
    if (!fs::exists(resolved.base / "config.json"))
        return fail(ErrorCode::NotFound,
                    fmt::format("The run's base model is no longer at {}.", resolved.base.string()),
                    "Put it back, or name a base with --model_path and the run's checkpoint with --adapter.");
    const project::CheckpointSearch found = project::newestCheckpoint(run);
    resolved.notices.insert(resolved.notices.end(), found.notes.begin(), found.notes.end());
    if (!found.newest)
        return fail(ErrorCode::NotFound, fmt::format("The run {} has no complete checkpoint yet.", run.string()),
                    "Let it train until its first checkpoint, or resume it.");
    resolved.adapter = found.newest->folder;
    return {};
}

}  // namespace

Result<ResolvedModel> resolveModel(const ModelRequest& request) {
    ResolvedModel resolved;
    resolved.template_name = "openassistant";
    STUDIO_TRY(const fs::path path, baseFolder(request.model_path));
    config::QloraConfig quantisation = config::defaultQuantisation();
    if (project::isRunFolder(path)) {
        STUDIO_CHECK(resolveRun(path, resolved));
        quantisation = resolved.run->recipe.qlora;
    } else {
        resolved.base = path;
    }
    if (!request.adapter.empty()) {
        STUDIO_TRY(resolved.adapter, config::resolveDataPath(request.adapter, {}, resourceFolder()));
        if (project::isRunFolder(resolved.adapter)) {
            ResolvedModel of_run;
            STUDIO_CHECK(resolveRun(resolved.adapter, of_run));
            resolved.adapter = of_run.adapter;
            resolved.template_name = of_run.template_name;
            if (!resolved.run) quantisation = of_run.run->recipe.qlora;
        }
    }
    if (!request.qlora_config.empty()) {
        STUDIO_TRY(quantisation, config::loadQloraConfig(request.qlora_config));
    }
    config::Recipe recipe;
    recipe.qlora = quantisation;
    recipe.training.device = request.device;
    recipe.training.threads = request.threads;
    resolved.source = modelSource(resolved.base, recipe);
    if (request.load_in_4bit) resolved.source.load_in_4bit = *request.load_in_4bit;
    return resolved;
}

Result<std::unique_ptr<engine::api::Model>> loadModel(engine::api::Engine& engine, const ResolvedModel& resolved,
                                                      const JobContext& job) {
    STUDIO_TRY(auto model, engine.load(resolved.source, job));
    if (!resolved.adapter.empty()) STUDIO_CHECK(loadAdapterFolder(*model, resolved.base, resolved.adapter));
    return model;
}

}  // namespace studio::jobs
