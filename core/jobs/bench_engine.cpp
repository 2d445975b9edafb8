#include "jobs/bench_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>

#include "config/model_config.h"

namespace studio::jobs {
namespace {

using engine::api::Checkpoint;
using engine::api::StepMetrics;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// splitmix64 (Steele, Lea, Flood 2014): tokens that no kernel can guess.
struct Random {
    std::uint64_t state;
    std::uint64_t next() {
        std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
};

// Fresh random micro-batches of `batch` separate conversations.
class RandomSource final : public dataset::BatchSource {
  public:
    RandomSource(const TrainBench& options, int vocab) : options_(options), vocab_(vocab) {}

    Result<bool> next(dataset::Batch& batch) noexcept override {
        if (given_++ == microBatches(0)) return false;
        batch = {};
        for (int c = 0; c < options_.batch; ++c) {
            const int begin = batch.rows();
            for (int i = 0; i < options_.length; ++i) {
                batch.tokens.push_back(static_cast<int>(random_.next() % static_cast<std::uint64_t>(vocab_)));
                batch.positions.push_back(i);
            }
            batch.segments.push_back({begin, batch.rows(), c, {}});
            batch.samples.push_back(c);
            const int first = static_cast<int>((1 - options_.supervised) * options_.length);
            for (int i = std::max(first, 1); i < options_.length; ++i)
                batch.targets.push_back({begin + i - 1, batch.tokens[static_cast<std::size_t>(begin + i)], 1.0f});
        }
        return true;
    }
    Result<void> seek(dataset::StreamPosition) noexcept override { return {}; }
    int microBatches(int) noexcept override { return options_.warmup + options_.steps; }

  private:
    TrainBench options_;
    int vocab_;
    int given_ = 0;
    Random random_{7};
};

class Times final : public engine::api::TrainObserver {
  public:
    explicit Times(const JobContext& job) : job_(job) {}
    Result<void> onStep(const StepMetrics& metrics) noexcept override {
        steps.push_back(metrics);
        job_.report({"Measuring steps", steps.size(), 0, "steps"});
        return {};
    }
    Result<void> onEvaluation(std::int64_t, double) noexcept override { return {}; }
    std::vector<StepMetrics> steps;

  private:
    const JobContext& job_;
};

class NoCheckpoints final : public engine::api::CheckpointSink {
  public:
    Result<void> save(const Checkpoint&) noexcept override { return {}; }
};

Result<engine::api::LoraSpec> everyLinear(const std::string& folder, int r) {
    STUDIO_TRY(const config::PhiConfig phi, config::readPhiConfig(folder));
    engine::api::LoraSpec spec;
    for (const config::LinearShape& linear : config::linears(phi)) spec.modules.push_back({linear.name, r, 1.0});
    return spec;
}

// Of this process, as Linux counts it.
std::uint64_t statusBytes(std::string_view key) {
    std::ifstream status("/proc/self/status");
    std::string word;
    std::uint64_t kb = 0;
    while (status >> word)
        if (word == key && status >> kb) return kb * 1024;
    return 0;
}

}  // namespace

std::uint64_t peakResidentBytes() {
    return statusBytes("VmHWM:");
}

double stepOperations(const config::PhiConfig& phi, int r, int conversations, int length, std::int64_t target_rows) {
    double row = 0;
    for (const config::LinearShape& linear : config::linears(phi))
        row += 4.0 * linear.in * linear.out + 6.0 * r * (linear.in + linear.out);
    const double rows = static_cast<double>(conversations) * length;
    const double width = static_cast<double>(phi.num_attention_heads) * phi.head_dim;
    const double attention = 6.0 * rows * length * width * phi.num_hidden_layers;
    const double head = 4.0 * phi.hidden_size * phi.vocab_size * static_cast<double>(target_rows);
    return row * rows + attention + head;
}

Result<TrainBenchResult> benchTrain(engine::api::Engine& engine, const TrainBench& options, const JobContext& job) {
    STUDIO_TRY(const auto model, engine.load(options.model, job));
    STUDIO_TRY(const auto spec, everyLinear(options.model.folder, options.r));
    STUDIO_CHECK(model->createAdapter(spec));

    const auto& info = model->info();
    RandomSource source(options, info.vocab);
    Times times(job);
    NoCheckpoints sink;
    engine::api::Mailbox mailbox;
    engine::api::TrainPlan plan;
    plan.total_steps = options.warmup + options.steps;
    plan.steps_per_epoch = static_cast<double>(plan.total_steps);
    plan.eval_at_end = false;
    plan.memory_mode = options.memory_mode;
    plan.lora_dropout = options.lora_dropout;
    STUDIO_TRY(const auto trained, model->train(plan, source, nullptr, nullptr, times, sink, mailbox, job));
    if (trained.end != engine::api::TrainResult::End::Finished) return cancelled();
    for (const StepMetrics& step : times.steps)
        if (step.skipped)
            return fail(ErrorCode::Internal,
                        fmt::format("Step {} had a loss or a gradient that is not finite (loss {}, gradient norm {}).",
                                    step.step, step.loss, step.grad_norm),
                        "Its speed means nothing. With another --memory_mode or --device it may show where this "
                        "comes from.");

    std::vector<double> seconds;
    for (std::size_t i = static_cast<std::size_t>(options.warmup); i < times.steps.size(); ++i)
        seconds.push_back(times.steps[i].seconds);
    std::sort(seconds.begin(), seconds.end());
    const double median = seconds[seconds.size() / 2];

    STUDIO_TRY(const config::PhiConfig phi, config::readPhiConfig(options.model.folder));
    const auto& last = times.steps.back();
    const double operations = stepOperations(phi, options.r, options.batch, options.length, last.supervised_tokens);

    TrainBenchResult result;
    result.tokens_per_s = static_cast<double>(last.tokens) / median;
    result.supervised_tokens_per_s = static_cast<double>(last.supervised_tokens) / median;
    result.tflops = operations / median / 1e12;
    result.peak_bytes = peakResidentBytes();
    result.mode = info.device.kind + (info.quantised ? ", NF4 base" : ", unquantised base");
    if (const auto use = model->memory(); use.peak_bytes > 0) {
        result.peak_bytes = use.peak_bytes;
        result.mode += ", " + use.mode;
        result.parts = use.parts;
        const engine::api::BatchSize size{static_cast<int>(last.tokens), static_cast<int>(last.supervised_tokens), 0,
                                          true};
        STUDIO_TRY(const auto planned, engine.planMemory(options.model, spec, size, plan));
        result.predicted_peak_bytes = planned.peak_bytes;
    }
    result.last_loss = last.loss;
    job.report({"Measuring one large product", 0, 0, ""});
    STUDIO_TRY(const auto rate, engine.productRate(options.model.device, job));
    result.gemm_tflops = rate.flops / 1e12;
    result.gemm_size = rate.size;
    return result;
}

Result<DecodeBenchResult> benchDecode(engine::api::Engine& engine, const DecodeBench& options, const JobContext& job) {
    STUDIO_TRY(const auto model, engine.load(options.model, job));
    if (options.r > 0) {
        STUDIO_TRY(const auto spec, everyLinear(options.model.folder, options.r));
        STUDIO_CHECK(model->createAdapter(spec));
    }
    Random random{11};
    engine::api::GenerateRequest request;
    for (int i = 0; i < options.prompt; ++i)
        request.prompt.push_back(static_cast<int>(random.next() % static_cast<std::uint64_t>(model->info().vocab)));
    request.temperature = options.temperature;
    request.top_k = options.top_k;
    // Once before the clock runs: libraries are loaded and buffers made by the first answer.
    constexpr int kWarmUp = 4;
    request.max_new_tokens = kWarmUp;
    STUDIO_TRY(const auto warm_up, model->generate(request));
    for (int i = 0; i < kWarmUp; ++i) STUDIO_CHECK(warm_up->next());
    request.max_new_tokens = options.new_tokens;
    std::vector<std::unique_ptr<engine::api::Generation>> generations;
    std::vector<engine::api::Generation*> each;
    std::vector<Result<engine::api::GeneratedToken>> tokens;
    DecodeBenchResult result;
    for (int i = 0; i < options.sequences; ++i) {
        request.adapter_strength = i % 2 == 0 ? 1 : 0;
        STUDIO_TRY(auto generation, model->generate(request));
        const auto start = Clock::now();
        tokens.push_back(generation->next());
        STUDIO_CHECK(tokens.back());
        if (i == 0) result.prefill_ms = since(start) * 1e3;
        each.push_back(generation.get());
        generations.push_back(std::move(generation));
    }
    const auto start = Clock::now();
    int decoded = 0;
    const auto goes_on = [](const auto& token) { return token->stop == engine::api::StopReason::None; };
    while (std::any_of(tokens.begin(), tokens.end(), goes_on)) {
        if (job.stopped()) return cancelled();
        model->nextOfEach(each, tokens);
        for (const auto& token : tokens) {
            STUDIO_CHECK(token);
            decoded += token->id >= 0;
        }
    }
    result.tokens_per_s = decoded / since(start);
    return result;
}

Result<LoadBenchResult> benchLoad(engine::api::Engine& engine, const engine::api::ModelSource& source,
                                  const JobContext& job) {
    STUDIO_TRY(const auto folder, io::SafetensorsFolder::open(source.folder));
    LoadBenchResult result;
    result.bytes = folder.totalBytes();
    // Whoever asks for the card's free memory makes the CUDA context, which is not the model's.
    STUDIO_TRY(const auto spec, everyLinear(source.folder, 8));
    (void)engine.planMemory(source, spec, {1, 1}, {});  // if it fails, so does load, which says why
    const std::uint64_t before = statusBytes("RssAnon:");
    std::uint64_t most = before;
    const auto look = [&most] { most = std::max(most, statusBytes("RssAnon:")); };
    const JobContext watched{job.stop, [&](const Progress& progress) {
                                 look();
                                 job.report(progress);
                             }};
    const auto start = Clock::now();
    STUDIO_TRY(const auto model, engine.load(source, watched));
    result.seconds = since(start);
    look();
    result.host_peak_bytes = most - before + model->memory().pinned_bytes;
    return result;
}

}  // namespace studio::jobs
