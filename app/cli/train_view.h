// Training as a person watches it in a terminal.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>

#include "cli/terminal.h"
#include "jobs/train.h"

namespace studio::cli {

class TrainView : public jobs::TrainListener {
  public:
    TrainView(Terminal& terminal, std::int64_t logging_steps) : terminal_(terminal), logging_steps_(logging_steps) {}

    void onReady(const jobs::TrainSetup& setup, std::int64_t resumed_step) override;
    void onStep(const engine::api::StepMetrics& metrics, std::int64_t total) override;
    void onEvaluation(std::int64_t step, double loss) override;
    void onStepping(bool stepping) override { stepping_ = stepping; }
    void onCheckpoint(std::int64_t step) override;
    void onSample(std::int64_t step, const std::string& prompt, const std::string& text,
                  const std::string& end) override;
    // From any thread: whether a stop request would reach a step.
    bool stepping() const { return stepping_; }
    void onNotice(const std::string& sentence) override { terminal_.say(sentence); }

  private:
    Terminal& terminal_;
    std::int64_t logging_steps_;
    std::int64_t first_step_ = -1;
    std::chrono::steady_clock::time_point start_{};
    double smoothed_ = std::numeric_limits<double>::quiet_NaN();  // until a step has a finite loss
    std::atomic<bool> stepping_ = false;
};

// What a run or a dry run is about to do, one line each.
void sayPlan(Terminal& terminal, const jobs::TrainSetup& setup);
void sayResult(Terminal& terminal, const jobs::TrainSummary& summary);

}  // namespace studio::cli
