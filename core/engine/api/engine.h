// The engine as others see it. It lives in a shared library that is opened when a job first needs it; every call is
// made from one thread, the engine's, unless it says otherwise. No call throws.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/job.h"
#include "base/log.h"
#include "base/result.h"
#include "engine/api/mailbox.h"
#include "engine/api/types.h"

namespace studio::engine::api {

inline constexpr int kApiVersion = 5;
inline constexpr const char* kEntryName = "studio_engine";

// What the program hands in.
struct Services {
    std::shared_ptr<Logger> log;
};

class TrainObserver {
  public:
    virtual ~TrainObserver() = default;
    // After a step and before its checkpoint. An error stops the run (nothing that was not logged is saved).
    virtual Result<void> onStep(const StepMetrics& metrics) noexcept = 0;
    // Mean nats a supervised token on the evaluation data after `step` steps (0: before the first).
    virtual Result<void> onEvaluation(std::int64_t step, double loss) noexcept = 0;
    // Several updates in a row were skipped, told after their steps; `error` says so and may be added to. True: the run
    // pauses until it is resumed or stopped. False: it ends with the error.
    virtual bool onUpdatesSkipped(Error& error) noexcept {
        (void)error;
        return false;
    }
    virtual void onPaused(bool paused) noexcept { (void)paused; }
};

class CheckpointSink {
  public:
    virtual ~CheckpointSink() = default;
    // On failure training pauses with its state in memory and the error is returned by train() if stopped there.
    virtual Result<void> save(const Checkpoint& checkpoint) noexcept = 0;
    // The save failed: true to try again (after waiting for the person), false to give up.
    virtual bool retry(const Error& error) noexcept {
        (void)error;
        return false;
    }
};

// Losses as they are computed: one nll (nats) for each target of the batch, in its order.
class LossObserver {
  public:
    virtual ~LossObserver() = default;
    virtual Result<void> onBatch(const dataset::Batch& batch, std::span<const float> target_nll) noexcept = 0;
};

// A growing answer with its own KV cache and generator.
class Generation {
  public:
    virtual ~Generation() = default;
    // Computes the next token. Prefill happens on the first call. After a stop reason there is nothing more.
    virtual Result<GeneratedToken> next() noexcept = 0;
    // Natural-log probabilities before sampling settings, for tests and the evaluation page: logits of the last step.
    virtual std::span<const float> lastLogits() const noexcept = 0;
};

class Model {
  public:
    virtual ~Model() = default;
    virtual const ModelInfo& info() const noexcept = 0;
    virtual MemoryUse memory() const noexcept { return {}; }

    virtual Result<void> createAdapter(const LoraSpec& spec) noexcept = 0;
    // `tensors`: PEFT's names; F32, F16 or BF16. Missing, extra or misshapen tensors are errors that name them.
    virtual Result<void> loadAdapter(const LoraSpec& spec, std::span<const io::TensorView> tensors) noexcept = 0;
    virtual void dropAdapter() noexcept = 0;
    virtual bool hasAdapter() const noexcept = 0;
    // fp32, PEFT's names, sorted; valid until the adapter changes.
    virtual std::vector<io::TensorView> adapter() const noexcept = 0;

    // Runs the plan from `resume` (or from the start) on the current adapter.
    virtual Result<TrainResult> train(const TrainPlan& plan, dataset::BatchSource& data,
                                      dataset::BatchSource* evaluation, const Checkpoint* resume,
                                      TrainObserver& observer, CheckpointSink& sink, Mailbox& mailbox,
                                      const JobContext& job) noexcept = 0;

    // One epoch of `data` without dropout. `adapter_strength` 0: the base model.
    virtual Result<void> losses(dataset::BatchSource& data, double adapter_strength, LossObserver& observer,
                                const JobContext& job) noexcept = 0;

    // Of one batch, without dropout. `with_logits`: those of every target row too, which are many. Leaves no buffers.
    virtual Result<GradientDump> gradients(const dataset::Batch& batch, bool with_logits) noexcept = 0;

    virtual Result<std::unique_ptr<Generation>> generate(const GenerateRequest& request) noexcept = 0;
    // What next() gives, of each of this model's answers into its place in `tokens` (as many). They are computed
    // together where they can be: the weights are read once for all.
    virtual void nextOfEach(std::span<Generation* const> answers, std::span<Result<GeneratedToken>> tokens) noexcept {
        for (std::size_t i = 0; i < answers.size(); ++i) tokens[i] = answers[i]->next();
    }
};

// Once the accelerator has failed for good (ErrorCode::DeviceLost) every later call of the engine and of what it loaded
// is refused with that same error.
class Engine {
  public:
    virtual ~Engine() = default;
    virtual DeviceInfo device() const noexcept = 0;
    // The device that these words mean ("auto", "cpu", "cuda:0", "cuda:GPU-…"), or why it cannot be had.
    virtual Result<DeviceInfo> deviceFor(const std::string& words) const noexcept {
        (void)words;
        return device();
    }
    virtual std::string_view buildInfo() const noexcept = 0;  // LibTorch version, BLAS
    // Peak of the GPU's memory for a run, by component and without loading anything; empty where the processor
    // computes. May be called from any thread.
    virtual Result<MemoryUse> planMemory(const ModelSource& source, const LoraSpec& spec, const BatchSize& batch,
                                         const TrainPlan& plan) noexcept {
        (void)source, (void)spec, (void)batch, (void)plan;
        return MemoryUse{};
    }
    virtual Result<std::unique_ptr<Model>> load(const ModelSource& source, const JobContext& job) noexcept = 0;
    // Measured on the device that `device` means, for a second at most: the median of several rounds.
    virtual Result<ProductRate> productRate(const std::string& device, const JobContext& job) noexcept {
        (void)device, (void)job;
        return fail(ErrorCode::Unsupported, "This engine does not measure its device.");
    }
};

// extern "C" Engine* studio_engine(int api_version, const Services*): null if the version differs.
using Entry = Engine* (*)(int api_version, const Services* services);

// Opens the engine's library (RTLD_NOW | RTLD_LOCAL, never closed). `library` empty: $ORIGIN/../lib/libstudio_engine.so
// beside the program, or the file the environment variable STUDIO_ENGINE names. The error says what is missing.
Result<Engine*> openEngine(const Services& services, const std::string& library = {});

}  // namespace studio::engine::api
