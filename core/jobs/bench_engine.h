// Speed of training and decoding on this machine, with random tokens on a real model folder.
#pragma once

#include <string>
#include <vector>

#include "base/job.h"
#include "engine/api/engine.h"

namespace studio::jobs {

struct TrainBench {
    engine::api::ModelSource model;
    int batch = 4, length = 512;  // rows a micro-batch = batch · length, as `batch` separate conversations
    int r = 16;                   // LoRA on every linear
    int steps = 5, warmup = 2;
    double supervised = 1;  // share of tokens that are targets
    std::string memory_mode = "auto";
    double lora_dropout = 0;
};
struct TrainBenchResult {
    double tokens_per_s = 0, supervised_tokens_per_s = 0;  // median step
    double tflops =
        0;  // 2·(base + LoRA products, forward and backward, head on targets)·tokens / time; attention left out
    std::uint64_t peak_bytes = 0;                     // of the process (VmHWM), or of the GPU's memory held by it
    std::string mode;                                 // "cpu, NF4 base", "cuda, NF4 base, keep_all" …
    std::vector<engine::api::MemoryUse::Part> parts;  // of the GPU's memory
    double last_loss = 0;
};
Result<TrainBenchResult> benchTrain(engine::api::Engine& engine, const TrainBench& options, const JobContext& job);

struct DecodeBench {
    engine::api::ModelSource model;
    int prompt = 128, new_tokens = 128;
    int r = 16;  // 0: without an adapter
};
struct DecodeBenchResult {
    double tokens_per_s = 0;  // without the prefill
    double prefill_ms = 0;
};
Result<DecodeBenchResult> benchDecode(engine::api::Engine& engine, const DecodeBench& options, const JobContext& job);

struct LoadBenchResult {
    std::uint64_t bytes = 0;  // of the weight files
    double seconds = 0;
    std::uint64_t host_peak_bytes = 0;  // growth of the process's peak
};
Result<LoadBenchResult> benchLoad(engine::api::Engine& engine, const engine::api::ModelSource& model,
                                  const JobContext& job);

// VmHWM of this process, bytes.
std::uint64_t peakResidentBytes();

}  // namespace studio::jobs
