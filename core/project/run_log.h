// What a run tells while it works: metrics.jsonl, samples.jsonl and the TensorBoard file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_ops.h"

namespace studio::project {

// An example of the run, by the ids of the data.
struct Conversation {
    std::string tree, last_message;
    bool operator==(const Conversation&) const = default;
};

// A line of metrics.jsonl; see contracts: line s is optimizer step s.
struct StepRecord {
    std::int64_t step = 0;
    double epoch = 0, loss = 0, learning_rate = 0, grad_norm = 0;
    std::int64_t tokens = 0, supervised_tokens = 0;
    double seconds = 0;
    bool skipped = false;
    // Of a skipped step: the conversations that may be the cause. Not in TensorBoard's file.
    std::vector<Conversation> suspects = {};
};

struct EvalRecord {
    std::int64_t step = 0;
    double eval_loss = 0;
};

struct SampleRecord {
    std::int64_t step = 0;
    std::string prompt, text, end;
};

// Appends. Every record reaches the kernel in one write; sync() before a checkpoint puts it on the disk.
class RunLog {
  public:
    // Starts anew (`keep_steps` empty; nothing may be there yet), or cuts metrics, samples and event files back to the
    // records of steps ≤ *keep_steps and continues them (−1 keeps nothing; files that are missing are created).
    static Result<RunLog> open(std::shared_ptr<io::FileOps> ops, const std::filesystem::path& run_folder,
                               std::optional<std::int64_t> keep_steps);
    RunLog(RunLog&&) noexcept;
    RunLog& operator=(RunLog&&) noexcept;
    ~RunLog();

    Result<void> step(const StepRecord& record);
    Result<void> evaluation(const EvalRecord& record);
    Result<void> sample(const SampleRecord& record);
    Result<void> sync();

    // What was found wrong while cutting back, as sentences: lines that a lost machine took along, damaged ones.
    const std::vector<std::string>& notes() const;

  private:
    struct State;
    explicit RunLog(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct Metrics {
    std::vector<StepRecord> steps;
    std::vector<EvalRecord> evaluations;
};
// Nothing where there is no file yet; a torn last line is left out, also of a run at work.
Result<Metrics> readMetrics(const std::filesystem::path& run_folder);
Result<std::vector<SampleRecord>> readSamples(const std::filesystem::path& run_folder);

}  // namespace studio::project
