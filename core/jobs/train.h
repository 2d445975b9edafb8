// Fine-tuning from a recipe to a finished run folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/job.h"
#include "config/recipe.h"
#include "config/target_modules.h"
#include "engine/api/engine.h"
#include "io/file_ops.h"
#include "jobs/load_data.h"
#include "jobs/losses.h"
#include "jobs/run_record.h"
#include "project/run_log.h"

namespace studio::jobs {

struct TrainRequest {
    config::Recipe recipe;
    std::filesystem::path config_file;   // where relative paths may start from; may be empty
    std::filesystem::path output_dir;    // the run folder; empty: the recipe's output_dir
    std::string resume_from_checkpoint;  // "", "latest" or a checkpoint folder of this run
    std::filesystem::path adapter;       // start from this adapter; empty: a fresh one
    std::filesystem::path model_folder;  // resolved; empty: from the recipe
    std::shared_ptr<io::FileOps> files;  // null: the real ones
};

// Everything known before the first step.
struct TrainSetup {
    RunRecord record;
    LoadedData data;
    std::vector<config::TargetModule> targets;
    std::vector<int> train, validation;  // examples
    engine::api::TrainPlan plan;
    std::int64_t tokens_per_epoch = 0, supervised_per_epoch = 0;
    std::vector<std::string> notices;
};

// Called on the thread that trains.
class TrainListener {
  public:
    virtual ~TrainListener() = default;
    virtual void onReady(const TrainSetup& setup, std::int64_t resumed_step) { (void)setup, (void)resumed_step; }
    virtual void onStep(const engine::api::StepMetrics& metrics, std::int64_t total) { (void)metrics, (void)total; }
    virtual void onEvaluation(std::int64_t step, double loss) { (void)step, (void)loss; }
    // Between true and false the mailbox is looked into; outside of it only the job's stop token is.
    virtual void onStepping(bool stepping) { (void)stepping; }
    // True once the running step is finished and it waits; false when it goes on.
    virtual void onPaused(bool paused) { (void)paused; }
    virtual void onCheckpoint(std::int64_t step) { (void)step; }
    virtual void onSample(std::int64_t step, const std::string& prompt, const std::string& text,
                          const std::string& end) {
        (void)step, (void)prompt, (void)text, (void)end;
    }
    // Several updates in a row were skipped because loss or gradient was not finite; `error` says so and names some of
    // the conversations that may be the cause. True: the run pauses until the mailbox resumes or stops it. False: it
    // ends with the error.
    virtual bool onUpdatesSkipped(const Error& error, const std::vector<project::Conversation>& conversations) {
        (void)error, (void)conversations;
        return false;
    }
    virtual void onNotice(const std::string& sentence) { (void)sentence; }
    // A checkpoint could not be written (the disk is full, say); the state is in memory. True: try again.
    virtual bool onSaveFailed(const Error& error) {
        (void)error;
        return false;
    }
};

struct TrainSummary {
    std::filesystem::path run;
    std::int64_t steps = 0;
    std::optional<double> train_loss;                   // Σ w·nll / Σ w over the run
    std::optional<double> eval_loss, eval_loss_before;  // of the held-out conversations
    std::optional<Difference> difference;               // after − before, paired by tree
    double tokens_per_s = 0, seconds = 0;
    bool stopped = false;  // by the person, before the last step; can be resumed
    bool already_complete = false;
    std::int64_t skipped_updates = 0;  // loss or gradient was not finite
};
io::Json toJson(const TrainSummary& summary);

Result<TrainSummary> train(engine::api::Engine& engine, const TrainRequest& request, TrainListener& listener,
                           engine::api::Mailbox& mailbox, const std::shared_ptr<Logger>& log, const JobContext& job);

// Real steps on the longest batch, up to three of them while they are short, writing nothing but, with `dump`, that
// batch and its losses, logits and gradients (batch.json, dump.safetensors).
struct DryRun {
    TrainSetup setup;
    double loss = 0;
    double seconds = 0;         // of the quickest step
    double seconds_a_step = 0;  // estimated from it by rows
    int rows = 0, targets = 0;
    std::uint64_t peak_bytes = 0;            // of the process, or of the GPU's memory held by it
    std::uint64_t weight_bytes = 0;          // of the base in memory
    engine::api::MemoryUse planned, memory;  // of a GPU: from formulas, and as the step took it
};
Result<DryRun> dryRun(engine::api::Engine& engine, const TrainRequest& request, const std::filesystem::path& dump,
                      const JobContext& job);

}  // namespace studio::jobs
