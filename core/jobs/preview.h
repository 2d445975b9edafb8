// What a recipe will do, before it is started: the run's own figures, computed without the engine but for the GPU's
// memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jobs/train_setup.h"

namespace studio::jobs {

// The adapted linears of one kind in all layers together.
struct ModuleCount {
    std::string kind;                   // "q_proj"
    int in = 0, out = 0;                // of one linear
    int modules = 0;                    // adapted ones
    std::int64_t r = 0;                 // the smallest; rank_pattern can make ranks differ
    std::int64_t parameters_each = 0;   // of the first one
    std::int64_t parameters_total = 0;  // of all of them
};

struct PreviewModel {
    std::filesystem::path base;
    int layers = 0, context = 0;
    std::int64_t base_parameters = 0, trainable_parameters = 0;
    std::vector<ModuleCount> modules;  // all kinds of a block in their order, those without an adapter too
    std::uint64_t training_bytes = 0;  // adapter, gradients and AdamW's two moments, fp32
    std::vector<std::string> notices;
};

struct RatePoint {
    std::int64_t step = 0;  // from 1
    double rate = 0;
};

struct PreviewRun {
    std::int64_t conversations = 0, held_out_conversations = 0;  // trees
    std::int64_t examples = 0, held_out_examples = 0;
    std::int64_t tokens = 0, supervised_tokens = 0;  // computed in one epoch of training
    std::int64_t held_out_tokens = 0;
    std::int64_t cut_tokens = 0;  // beyond max_seq_length
    std::int64_t left_out = 0;    // conversations without an answer to learn from
    std::int64_t steps = 0, warmup_steps = 0;
    double steps_per_epoch = 0;
    std::int64_t answers = 0, answers_with_eos = 0;  // supervised messages of the training, and those that end on EOS
    // How many examples have a longest path of so many tokens: bins of equal width from 0 to `longest`.
    std::vector<int> lengths;
    int longest = 0;                     // the bound of a path; without one, the longest there is
    std::vector<RatePoint> rates;        // at most 512 points, the first and the last step among them
    int checkpoints = 0;                 // that remain on the disk
    std::uint64_t checkpoint_bytes = 0;  // of one: fp32 adapter and moments
    std::int64_t evaluations = 0;        // of the held-out conversations, those before and after included
    std::vector<std::string> notices;
};

struct Preview {
    std::optional<PreviewModel> model;
    std::optional<PreviewRun> run;
    std::optional<Error> model_error, run_error;   // why the part is missing
    std::optional<engine::api::MemoryUse> memory;  // of the GPU at its peak, as it is planned; nothing on a processor
    std::optional<Error> memory_error;
};

// Keeps the examples of the last request, so that a change of the learning rate costs no reading and no tokenising.
class PreviewCache {
  public:
    Result<LoadedData> load(const DataRequest& request, const JobContext& job);

  private:
    std::string key_;
    std::optional<LoadedData> data_;
};

// An error only where the job was stopped; what is wrong with the recipe stands in the preview. `engine`: plans the
// memory as a dry run does; null: it is not planned.
Result<Preview> preview(const config::Recipe& recipe, const std::filesystem::path& config_file, PreviewCache& cache,
                        const JobContext& job, engine::api::Engine* engine = nullptr);

// Time of a run from one measured micro-batch.
struct Measurement {
    std::string key;            // measurementKey of the recipe that was measured
    double seconds_a_step = 0;  // of training
    double seconds_a_row = 0;
    double loss = 0;  // of the longest micro-batch, before any step
    int rows = 0, targets = 0;
    std::uint64_t peak_bytes = 0;    // of the process
    std::uint64_t weight_bytes = 0;  // of the base in memory
    engine::api::DeviceInfo device;
};
Result<Measurement> measure(engine::api::Engine& engine, const config::Recipe& recipe,
                            const std::filesystem::path& config_file, const JobContext& job);

// Equal for two recipes whose steps take as long: all that shapes a micro-batch and the model, nothing else.
std::string measurementKey(const config::Recipe& recipe);

// Training, and measuring the held-out conversations (a forward pass: a third of the time a row of training takes).
double estimatedSeconds(const PreviewRun& run, const Measurement& measurement);

inline constexpr double kLongRun = 12 * 3600;  // seconds

// The largest round number of steps whose run stays below `seconds`; at least 1.
std::int64_t stepsWithin(const PreviewRun& run, const Measurement& measurement, double seconds);

}  // namespace studio::jobs
