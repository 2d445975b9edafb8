#include <fmt/format.h>

#include <algorithm>

#include "io/file.h"
#include "jobs/adapter_folder.h"
#include "jobs/bench_engine.h"
#include "jobs/memory_advice.h"
#include "jobs/train.h"
#include "jobs/train_setup.h"

namespace studio::jobs {
namespace {

namespace fs = std::filesystem;

io::Json batchJson(const dataset::Batch& batch, const dataset::Examples& examples) {
    io::Json segments = io::Json::array(), targets = io::Json::array(), samples = io::Json::array();
    for (const auto& s : batch.segments) {
        io::Json context = io::Json::array();
        for (const auto& range : s.context) context.push_back({range.begin, range.end});
        segments.push_back({{"begin", s.begin}, {"end", s.end}, {"sample", s.sample}, {"context", std::move(context)}});
    }
    for (const auto& t : batch.targets) targets.push_back({{"row", t.row}, {"token", t.token}, {"weight", t.weight}});
    for (const auto id : batch.samples)
        samples.push_back({{"tree_id", examples.treeId(static_cast<int>(id))},
                           {"last_message_id", examples.lastMessageId(static_cast<int>(id))}});
    return {{"tokens", batch.tokens},
            {"positions", batch.positions},
            {"segments", std::move(segments)},
            {"targets", std::move(targets)},
            {"samples", std::move(samples)}};
}

// The first step also sets up what later ones find: a short one is measured again.
constexpr int kMostSteps = 3;
constexpr double kShort = 5;  // seconds

// One micro-batch, again and again.
class OneBatch final : public dataset::BatchSource {
  public:
    explicit OneBatch(const dataset::Batch& batch) : batch_(batch) {}
    Result<bool> next(dataset::Batch& batch) noexcept override {
        if (given_ == kMostSteps) return false;
        ++given_;
        batch = batch_;
        return true;
    }
    Result<void> seek(dataset::StreamPosition) noexcept override { return {}; }
    int microBatches(int) noexcept override { return kMostSteps; }

  private:
    const dataset::Batch& batch_;
    int given_ = 0;
};

class Watch final : public engine::api::TrainObserver, public engine::api::CheckpointSink {
  public:
    explicit Watch(engine::api::Mailbox& mailbox) : mailbox_(mailbox) {}
    Result<void> onStep(const engine::api::StepMetrics& m) noexcept override {
        seconds = seconds > 0 ? std::min(seconds, m.seconds) : m.seconds;
        if (m.seconds > kShort) mailbox_.stopAfterStep();
        return {};
    }
    Result<void> onEvaluation(std::int64_t, double) noexcept override { return {}; }
    Result<void> save(const engine::api::Checkpoint&) noexcept override { return {}; }
    double seconds = 0;  // of the quickest step

  private:
    engine::api::Mailbox& mailbox_;
};

Result<void> writeDump(const fs::path& folder, const dataset::Batch& batch, const dataset::Examples& examples,
                       const engine::api::GradientDump& dump, int vocab) {
    std::error_code ec;
    fs::create_directories(folder, ec);
    if (ec) return fail(io::systemError(ec.value(), "The folder", folder));
    STUDIO_CHECK(io::writeFileAtomic(folder / "batch.json", batchJson(batch, examples).dump() + "\n"));
    std::vector<io::TensorView> tensors(dump.gradients.begin(), dump.gradients.end());
    const auto rows = static_cast<std::int64_t>(dump.target_logits.size()) / vocab;
    tensors.push_back({"losses",
                       io::DType::F32,
                       {static_cast<std::int64_t>(dump.target_nll.size())},
                       dump.target_nll.data(),
                       dump.target_nll.size() * sizeof(float)});
    tensors.push_back({"logits",
                       io::DType::F32,
                       {rows, vocab},
                       dump.target_logits.data(),
                       dump.target_logits.size() * sizeof(float)});
    return io::writeSafetensors(*io::realFileOps(), folder / "dump.safetensors", tensors,
                                {{"format", "pt"}, {"loss", fmt::format("{:.9g}", dump.loss)}});
}

}  // namespace

Result<DryRun> dryRun(engine::api::Engine& engine, const TrainRequest& request, const fs::path& dump,
                      const JobContext& job) {
    STUDIO_TRY(ReadyToTrain ready, setUp(engine, request, request.adapter, job));
    STUDIO_CHECK(loadForTraining(engine, ready, request.adapter, job));
    STUDIO_TRY(const dataset::Batch batch, ready.stream->longestMicroBatch(0));
    job.report({"Longest batch", 0, 0, ""});
    STUDIO_TRY(const auto gradients, ready.model->gradients(batch, !dump.empty()));
    if (!dump.empty())
        STUDIO_CHECK(writeDump(dump, batch, *ready.setup.data.examples, gradients, ready.model->info().vocab));

    DryRun result;
    result.loss = gradients.loss;
    result.rows = batch.rows();
    result.targets = static_cast<int>(batch.targets.size());
    // The step itself, so that the optimizer's state is in the peak.
    OneBatch source(batch);
    engine::api::Mailbox mailbox;
    Watch watch(mailbox);
    engine::api::TrainPlan plan = ready.setup.plan;
    plan.total_steps = kMostSteps;
    plan.accumulation = 1;
    plan.largest = sizeOf(batch);
    plan.warmup_steps = plan.save_steps = plan.eval_steps = 0;
    STUDIO_CHECK(ready.model->train(plan, source, nullptr, nullptr, watch, watch, mailbox, job));
    result.seconds = watch.seconds;
    result.peak_bytes = peakResidentBytes();
    result.weight_bytes = ready.model->info().weight_bytes;
    result.memory = ready.model->memory();
    if (result.memory.peak_bytes > 0) {
        result.peak_bytes = result.memory.peak_bytes;
        const auto& record = ready.setup.record;
        const auto lora = loraSpec(ready.setup.targets, record.recipe.qlora.lora_dropout, 0);
        STUDIO_TRY(result.planned,
                   engine.planMemory(modelSource(record.base_folder, record.recipe), lora, sizeOf(batch), plan));
    }
    const double rows_a_step = static_cast<double>(ready.setup.tokens_per_epoch) / ready.setup.plan.steps_per_epoch;
    result.seconds_a_step = result.seconds * rows_a_step / std::max(batch.rows(), 1);
    result.setup = std::move(ready.setup);
    return result;
}

}  // namespace studio::jobs
