#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "cli/command.h"
#include "corpus/importer.h"
#include "corpus/query.h"
#include "io/line_reader.h"
#include "jobs/bench_engine.h"
#include "jobs/places.h"
#include "jobs/random_model.h"
#include "text/tokenizer.h"

namespace studio::cli {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Options {
    std::string model, tokenizer, data, file, device = "cpu", load_in_4bit = "true", memory_mode = "auto";
    int batch = 4, length = 512, steps = 5, r = 16, prompt = 128, new_tokens = 128, sequences = 1, threads = 0;
    int top_k = 0;
    double supervised = 1, lora_dropout = 0, temperature = 0;
};

std::string orBuiltIn(const std::string& folder, const char* below) {
    return folder.empty() ? (jobs::resourceFolder() / below).string() : folder;
}

// One thread, cold cache: every text once, in order, as message text.
Result<int> benchTokenize(Context& context, const Options& options) {
    STUDIO_TRY(const auto tokenizer, text::loadTokenizer(orBuiltIn(options.tokenizer, "demo/model")));
    const std::string file = orBuiltIn(options.file, "demo/sample/oasst1-en-validation.messages.jsonl.gz");
    STUDIO_TRY(auto reader, io::LineReader::open(file));
    std::vector<std::string> texts;
    std::uint64_t bytes = 0;
    for (;;) {
        STUDIO_TRY(const auto line, reader.next());
        if (!line) break;
        STUDIO_TRY(const io::Json value, io::parseJson(line->text, file));
        if (value.is_object() && value.contains("text") && value["text"].is_string()) {
            texts.push_back(value["text"].get<std::string>());
            bytes += texts.back().size();
        }
    }
    std::vector<int> ids;
    std::uint64_t tokens = 0;
    const auto start = Clock::now();
    for (const std::string& text : texts) {
        ids.clear();
        tokenizer->encode(text, ids);
        tokens += ids.size();
    }
    const double seconds = since(start);
    if (context.json) {
        context.print({{"bytes", bytes}, {"tokens", tokens}, {"seconds", seconds}});
    } else {
        std::printf("%s texts, %s, %s tokens in %s: %.1f MB/s\n",
                    grouped(static_cast<std::int64_t>(texts.size())).c_str(), bytesText(bytes).c_str(),
                    grouped(static_cast<std::int64_t>(tokens)).c_str(), duration(seconds).c_str(),
                    static_cast<double>(bytes) / 1e6 / seconds);
    }
    return kOk;
}

std::string sampleFile(const Options& options) {
    return orBuiltIn(options.data, "demo/sample/oasst1-en-validation.messages.jsonl.gz");
}

Result<int> benchImport(Context& context, const Options& options) {
    STUDIO_TRY(corpus::Store store, corpus::Store::openMemory());
    const auto start = Clock::now();
    STUDIO_TRY(const auto report, corpus::importFile(store, sampleFile(options), {}, {context.signals.token(), {}}));
    const double seconds = since(start);
    const std::uint64_t peak = jobs::peakResidentBytes();
    if (context.json) {
        context.print({{"rows", report.messages}, {"seconds", seconds}, {"peak_bytes", peak}});
    } else {
        std::printf("%s rows in %s, peak %s\n", grouped(static_cast<std::int64_t>(report.messages)).c_str(),
                    duration(seconds).c_str(), bytesText(peak).c_str());
    }
    return kOk;
}

Result<int> benchQuery(Context& context, const Options& options) {
    static constexpr const char* kFilters[] = {
        "",
        "lang:en role:assistant",
        "quality>=0.6 rank=0",
        "role:assistant (quality>=0.7 OR creativity>0.5) -deleted",
        "turns>=4 length>500",
        "python",
        "\"for example\" role:assistant",
        "review:accepted depth<=2",
    };
    STUDIO_TRY(corpus::Store store, corpus::Store::openMemory());
    STUDIO_CHECK(corpus::importFile(store, sampleFile(options), {}, {context.signals.token(), {}}));
    STUDIO_CHECK(store.updateTextIndex({context.signals.token(), {}}));
    std::vector<double> ms;
    for (int round = 0; round < 20; ++round) {
        for (const char* text : kFilters) {
            STUDIO_TRY(const auto filter, corpus::parseFilter(text));
            const auto start = Clock::now();
            STUDIO_CHECK(corpus::query(store, filter));
            ms.push_back(since(start) * 1e3);
        }
    }
    std::sort(ms.begin(), ms.end());
    const double p50 = ms[ms.size() / 2], p95 = ms[ms.size() * 95 / 100], max = ms.back();
    if (context.json) {
        context.print({{"filters", std::size(kFilters)}, {"p50_ms", p50}, {"p95_ms", p95}, {"max_ms", max}});
    } else {
        std::printf("%zu filters: median %.2f ms, 95 %% %.2f ms, longest %.2f ms\n", std::size(kFilters), p50, p95,
                    max);
    }
    return kOk;
}

Result<engine::api::Engine*> openEngine(Context& context) {
    return engine::api::openEngine({context.log});
}

// What the engine's benchmarks run on.
struct Bench {
    engine::api::Engine* engine = nullptr;
    engine::api::DeviceInfo device;
    std::string folder;
};

// On a GPU and without --model_path: a random model of phi-2's shape in the temporary folder, made once.
Result<Bench> openBench(Context& context, const Options& options) {
    Bench bench;
    STUDIO_TRY(bench.engine, openEngine(context));
    STUDIO_TRY(bench.device, bench.engine->deviceFor(options.device));
    bench.folder = orBuiltIn(options.model, "demo/model");
    if (!options.model.empty() || bench.device.kind == "cpu") return bench;
    std::error_code ec;
    const auto temporary = std::filesystem::temp_directory_path(ec);
    if (ec)
        return fail(ErrorCode::NotFound, "There is no folder for temporary files, where a random model would be made.",
                    "Set TMPDIR to a folder with 6 GB of room, or name a model with --model_path.");
    const auto folder = temporary / "qlora-studio-bench-phi-2";
    STUDIO_CHECK(jobs::makeRandomModel(folder, {}, context.job()));
    bench.folder = folder.string();
    return bench;
}

engine::api::ModelSource source(const Options& options, const std::string& folder) {
    engine::api::ModelSource model;
    model.folder = folder;
    model.compute_dtype = options.device == "cpu" ? "float32" : "bfloat16";
    model.device = options.device;
    model.threads = options.threads;
    model.load_in_4bit = options.load_in_4bit == "true";
    return model;
}

Result<int> benchLoad(Context& context, const Options& options) {
    STUDIO_TRY(const Bench on, openBench(context, options));
    STUDIO_TRY(const auto r, jobs::benchLoad(*on.engine, source(options, on.folder), context.job()));
    context.terminal.endLine();
    if (context.json) {
        context.print({{"device", on.device.name},
                       {"bytes", r.bytes},
                       {"seconds", r.seconds},
                       {"host_peak_bytes", r.host_peak_bytes}});
    } else {
        std::printf("%s in %s, peak of the process +%s\n", bytesText(r.bytes).c_str(), duration(r.seconds).c_str(),
                    bytesText(r.host_peak_bytes).c_str());
    }
    return kOk;
}

Result<int> benchTrain(Context& context, const Options& options) {
    STUDIO_TRY(const Bench on, openBench(context, options));
    jobs::TrainBench bench;
    bench.model = source(options, on.folder);
    bench.memory_mode = options.memory_mode;
    bench.lora_dropout = options.lora_dropout;
    bench.batch = options.batch;
    bench.length = options.length;
    bench.steps = options.steps;
    bench.r = options.r;
    bench.supervised = options.supervised;
    STUDIO_TRY(const auto r, jobs::benchTrain(*on.engine, bench, context.job()));
    context.terminal.endLine();
    if (context.json) {
        io::Json parts = io::Json::object();
        for (const auto& part : r.parts) parts[part.name] = part.bytes;
        io::Json json = {{"device", on.device.name},
                         {"tokens_per_s", r.tokens_per_s},
                         {"supervised_tokens_per_s", r.supervised_tokens_per_s},
                         {"peak_bytes", r.peak_bytes},
                         {"tflops", r.tflops},
                         {"gemm_tflops", r.gemm_tflops},
                         {"gemm_size", r.gemm_size},
                         {"gemm_percent", 100 * r.tflops / r.gemm_tflops},
                         {"mode", r.mode},
                         {"memory", std::move(parts)},
                         {"last_loss", r.last_loss}};
        if (r.predicted_peak_bytes > 0) json["predicted_peak_bytes"] = r.predicted_peak_bytes;
        context.print(json);
    } else {
        std::printf(
            "%d × %d tokens: %.0f tokens/s (%.0f supervised), %.3f TFLOP/s (%.0f %% of this "
            "device's %.3f on a product of %d³), peak %s, %s\n",
            bench.batch, bench.length, r.tokens_per_s, r.supervised_tokens_per_s, r.tflops,
            100 * r.tflops / r.gemm_tflops, r.gemm_tflops, r.gemm_size, bytesText(r.peak_bytes).c_str(),
            r.mode.c_str());
    }
    return kOk;
}

Result<int> benchDecode(Context& context, const Options& options) {
    STUDIO_TRY(const Bench on, openBench(context, options));
    jobs::DecodeBench bench;
    bench.model = source(options, on.folder);
    bench.prompt = options.prompt;
    bench.new_tokens = options.new_tokens;
    bench.sequences = options.sequences;
    bench.temperature = options.temperature;
    bench.top_k = options.top_k;
    bench.r = options.r;
    STUDIO_TRY(const auto r, jobs::benchDecode(*on.engine, bench, context.job()));
    context.terminal.endLine();
    if (context.json) {
        context.print({{"device", on.device.name}, {"tokens_per_s", r.tokens_per_s}, {"prefill_ms", r.prefill_ms}});
    } else {
        std::printf("prefill of %d tokens %.1f ms, then %.1f tokens/s in %d sequences\n", bench.prompt, r.prefill_ms,
                    r.tokens_per_s, bench.sequences);
    }
    return kOk;
}

}  // namespace

void addBench(CLI::App& app, Run& run) {
    CLI::App* bench = app.add_subcommand("bench", "Measure this machine: window, tokenizer, import, filters, engine");
    bench->require_subcommand(1);
    const auto options = std::make_shared<Options>();
    const auto add = [&](const char* name, const char* what, Result<int> (*work)(Context&, const Options&)) {
        CLI::App* command = bench->add_subcommand(name, what);
        command->callback([options, work, &run] { run = [options, work](Context& c) { return work(c, *options); }; });
        return command;
    };
#ifdef STUDIO_UI
    addWindowBench(*bench, run);
#endif
    CLI::App* tokenize = add("tokenize", "texts of a JSONL file, one thread, cold cache", benchTokenize);
    tokenize->add_option("--tokenizer", options->tokenizer, "the tokenizer's folder (built-in model)");
    tokenize->add_option("--file", options->file, "JSONL with `text` (built-in sample)");
    for (CLI::App* command : {add("import", "a conversation file into an empty store", benchImport),
                              add("query", "typical filters on a conversation file", benchQuery)})
        command->add_option("--data", options->data, "OASST or chat JSONL (built-in sample)");
    CLI::App* load = add("load", "weights from disk, quantised", benchLoad);
    CLI::App* train = add("train", "training steps on random tokens", benchTrain);
    CLI::App* decode = add("decode", "prefill and decoding", benchDecode);
    for (CLI::App* command : {load, train, decode}) {
        command->add_option("--model_path", options->model,
                            "model folder (built-in model; on a GPU a random model of phi-2's shape)");
        command->add_option("--device", options->device, "where to compute")
            ->check(deviceName())
            ->capture_default_str();
        command->add_option("--threads", options->threads, "0: all cores")->capture_default_str();
        command->add_option("--load_in_4bit", options->load_in_4bit, "NF4 base: true or false")
            ->check(CLI::IsMember({"true", "false"}))
            ->capture_default_str();
    }
    train->add_option("--r", options->r, "LoRA rank on every linear")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    decode->add_option("--r", options->r, "LoRA rank on every linear, 0: without an adapter")
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
    train->add_option("--batch", options->batch, "conversations a step")->check(positive())->capture_default_str();
    train->add_option("--length", options->length, "tokens a conversation")
        ->check(CLI::Range(2, 1 << 20))
        ->capture_default_str();
    train->add_option("--steps", options->steps, "measured steps")->check(positive())->capture_default_str();
    train->add_option("--supervised", options->supervised, "share of tokens that are targets")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    train->add_option("--memory_mode", options->memory_mode, "what a GPU keeps for the backward pass")
        ->check(CLI::IsMember({"auto", "keep_all", "selective", "recompute"}))
        ->capture_default_str();
    train->add_option("--lora_dropout", options->lora_dropout, "of the adapters' inputs")
        ->check(CLI::Range(0.0, 0.99))
        ->capture_default_str();
    decode->add_option("--prompt", options->prompt, "tokens of the prompt")->check(positive())->capture_default_str();
    decode->add_option("--sequences", options->sequences, "that grow together, every second one without the adapter")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    decode->add_option("--temperature", options->temperature, "0: greedy")->check(notNegative())->capture_default_str();
    decode->add_option("--top_k", options->top_k, "tokens to draw from, 0: all")
        ->check(notNegative())
        ->capture_default_str();
    decode->add_option("--new_tokens", options->new_tokens, "tokens to decode")
        ->check(positive())
        ->capture_default_str();
}

}  // namespace studio::cli
