// What a run tells on the engine thread, kept until the window looks: floods become one look.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "jobs/train.h"
#include "project/run_log.h"

namespace studio::ui {

class RunFeed final : public jobs::TrainListener {
  public:
    // Everything since the last look.
    struct News {
        std::optional<Progress> phase;
        bool ready = false;  // the fields to the next blank line are set
        std::string template_name;
        engine::api::DeviceInfo device;
        std::shared_ptr<const text::Tokenizer> tokenizer;
        std::int64_t total = 0, first_step = 0;

        std::vector<project::StepRecord> steps;
        std::vector<project::EvalRecord> evaluations;
        std::vector<project::SampleRecord> samples;
        std::vector<std::string> notices;
        std::optional<std::int64_t> checkpoint;
        std::optional<bool> stepping, paused;
        std::optional<Error> save_error;
        struct Skipped {
            Error error;
            std::vector<project::Conversation> conversations;
        };
        std::optional<Skipped> updates_skipped;  // so many in a row that the run pauses
    };
    News take();

    void phase(const Progress& progress);
    // The person's answer to save_error; also lets go whoever waits when the run is to end.
    void answerSave(bool retry);

    void onReady(const jobs::TrainSetup& setup, std::int64_t resumed_step) override;
    void onStep(const engine::api::StepMetrics& metrics, std::int64_t total) override;
    void onEvaluation(std::int64_t step, double loss) override;
    void onStepping(bool stepping) override;
    void onPaused(bool paused) override;
    void onCheckpoint(std::int64_t step) override;
    void onSample(std::int64_t step, const std::string& prompt, const std::string& text,
                  const std::string& end) override;
    void onNotice(const std::string& sentence) override;
    bool onSaveFailed(const Error& error) override;
    bool onUpdatesSkipped(const Error& error, const std::vector<project::Conversation>& conversations) override;

  private:
    std::mutex mutex_;
    std::condition_variable answered_;
    std::optional<bool> answer_;
    bool abandoned_ = false;
    News news_;
};

}  // namespace studio::ui
