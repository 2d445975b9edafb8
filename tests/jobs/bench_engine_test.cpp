// What a training step is said to cost, counted by hand; what a load is said to take of the computer's memory.
#include "jobs/bench_engine.h"

#include <QtTest>
#include <cstdlib>
#include <cstring>

using namespace studio;

namespace {

namespace api = engine::api;
constexpr std::size_t kMega = 1 << 20;

// Anonymous memory that is really there, until it goes out of scope.
class Resident {
  public:
    explicit Resident(std::size_t bytes) : memory_(std::malloc(bytes)) { std::memset(memory_, 1, bytes); }
    ~Resident() { std::free(memory_); }
    Resident(const Resident&) = delete;
    Resident& operator=(const Resident&) = delete;

  private:
    void* memory_;
};

class Loaded final : public api::Model {
  public:
    const api::ModelInfo& info() const noexcept override { return info_; }
    api::MemoryUse memory() const noexcept override {
        api::MemoryUse use;
        use.pinned_bytes = 16 * kMega;
        return use;
    }
    Result<void> createAdapter(const api::LoraSpec&) noexcept override { return {}; }
    Result<void> loadAdapter(const api::LoraSpec&, std::span<const io::TensorView>) noexcept override { return none(); }
    void dropAdapter() noexcept override {}
    bool hasAdapter() const noexcept override { return false; }
    std::vector<io::TensorView> adapter() const noexcept override { return {}; }
    // Every step but the second has a finite gradient.
    Result<api::TrainResult> train(const api::TrainPlan& plan, dataset::BatchSource&, dataset::BatchSource*,
                                   const api::Checkpoint*, api::TrainObserver& observer, api::CheckpointSink&,
                                   api::Mailbox&, const JobContext&) noexcept override {
        for (std::int64_t step = 1; step <= plan.total_steps; ++step) {
            api::StepMetrics metrics;
            metrics.step = step;
            metrics.skipped = step == 2;
            STUDIO_CHECK(observer.onStep(metrics));
        }
        return api::TrainResult{};
    }
    Result<void> losses(dataset::BatchSource&, double, api::LossObserver&, const JobContext&) noexcept override {
        return none();
    }
    Result<api::GradientDump> gradients(const dataset::Batch&, bool) noexcept override { return none(); }
    Result<std::unique_ptr<api::Generation>> generate(const api::GenerateRequest&) noexcept override { return none(); }

  private:
    static tl::unexpected<Error> none() { return fail(ErrorCode::Unsupported, "There is no model here."); }
    api::ModelInfo info_;
};

// Takes 128 MB for itself when the device is first used, 64 MB while it loads, and nothing afterwards.
class Loading final : public api::Engine {
  public:
    api::DeviceInfo device() const noexcept override { return {}; }
    std::string_view buildInfo() const noexcept override { return {}; }
    Result<api::MemoryUse> planMemory(const api::ModelSource&, const api::LoraSpec&, const api::BatchSize&,
                                      const api::TrainPlan&) noexcept override {
        context();
        return api::MemoryUse{};
    }
    Result<std::unique_ptr<api::Model>> load(const api::ModelSource&, const JobContext& job) noexcept override {
        context();
        const Resident pieces(64 * kMega);
        job.report({"Loading the model", 1, 2, "MB"});
        return std::make_unique<Loaded>();
    }

  private:
    void context() {
        if (!context_) context_ = std::make_unique<Resident>(128 * kMega);
    }
    std::unique_ptr<Resident> context_;
};

class BenchEngineTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void operationsAreCountedByHand() {
        config::PhiConfig phi;
        phi.vocab_size = 10;
        phi.hidden_size = 4;
        phi.intermediate_size = 8;
        phi.num_hidden_layers = 2;
        phi.num_attention_heads = phi.num_key_value_heads = 2;
        phi.head_dim = 2;
        // A layer's linears: q, k, v, dense of 4 × 4, fc1 and fc2 of 4 × 8.
        const double weights = 2 * (4 * 16 + 2 * 32), sides = 2 * (4 * 8 + 2 * 12);
        const double rows = 3 * 5;
        const double linears = rows * 2 * 2 * weights, lora = rows * 6 * 2 * sides;
        // A conversation's square has 5 · 5 / 2 pairs; six products of two operations in each of 4 columns, two layers.
        const double attention = 3 * 12.5 * 6 * 2 * 4 * 2;
        const double head = 7 * 2 * 2 * 4 * 10;
        QCOMPARE(jobs::stepOperations(phi, 2, 3, 5, 7), linears + lora + attention + head);
    }

    void stepsThatAreNotFiniteAreNoMeasurement() {
        Loading engine;
        jobs::TrainBench bench;
        bench.model.folder = STUDIO_SOURCE_DIR "/resources/demo/model";
        const auto result = jobs::benchTrain(engine, bench, {});
        QVERIFY(!result.has_value());
        QVERIFY2(result.error().message.starts_with("Step 2 "), result.error().text().c_str());
    }

    void aLoadIsChargedItsOwnMemoryOnly() {
        { const Resident before(256 * kMega); }  // a peak of the process that is none of the load's
        Loading engine;
        api::ModelSource source;
        source.folder = STUDIO_SOURCE_DIR "/resources/demo/model";
        const auto result = jobs::benchLoad(engine, source, {});
        QVERIFY(result.has_value());
        const auto peak = result->host_peak_bytes / kMega;
        QVERIFY2(peak >= 64 + 16 && peak < 64 + 16 + 8, std::to_string(peak).c_str());
    }
};

}  // namespace

QTEST_GUILESS_MAIN(BenchEngineTest)
#include "bench_engine_test.moc"
