// Speed of training and decoding on this machine, with random tokens on a real model folder.
#pragma once

#include <string>
#include <vector>

#include "base/job.h"
#include "config/model_config.h"
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
    double tflops = 0;                                     // operations a step needs (stepOperations) / its time
    double gemm_tflops = 0;                           // measured after the steps: one large product on the same device
    int gemm_size = 0;                                // of that product, size × size × size
    std::uint64_t peak_bytes = 0;                     // of the process (VmHWM), or of the GPU's memory held by it
    std::uint64_t predicted_peak_bytes = 0;           // of a GPU's memory, planned before
    std::string mode;                                 // "cpu, NF4 base", "cuda, NF4 base, keep_all" …
    std::vector<engine::api::MemoryUse::Part> parts;  // of the GPU's memory
    double last_loss = 0;
};
// Floating-point operations that one training step needs, two for each multiplication and addition. Counted are, for
// each row, a frozen linear's product forward and that for dx in backward (the first block's included; its own gradient
// is not needed), and LoRA's two and four products; for each target row the head's two; for each conversation causal
// attention's two products forward and four backward over half of the square. What is computed a second time to save
// memory does not count, nor does what is not a product. (The convention of "model FLOPs": A. Chowdhery et al., "PaLM",
// 2022, appendix B; without its weight gradients, for the base is frozen. Half of the square: T. Dao,
// "FlashAttention-2", 2023, section 4.1.)
double stepOperations(const config::PhiConfig& phi, int r, int conversations, int length, std::int64_t target_rows);

Result<TrainBenchResult> benchTrain(engine::api::Engine& engine, const TrainBench& options, const JobContext& job);

struct DecodeBench {
    engine::api::ModelSource model;
    int prompt = 128, new_tokens = 128;
    int r = 16;         // 0: without an adapter
    int sequences = 1;  // that grow together, every second one without the adapter
    double temperature = 0;
    int top_k = 0;
};
struct DecodeBenchResult {
    double tokens_per_s = 0;  // of all sequences, without the prefill
    double prefill_ms = 0;    // of one
};
Result<DecodeBenchResult> benchDecode(engine::api::Engine& engine, const DecodeBench& options, const JobContext& job);

struct LoadBenchResult {
    std::uint64_t bytes = 0;  // of the weight files
    double seconds = 0;
    // Anonymous memory (RssAnon) at most while loading, above its value once the CUDA context exists, and what the
    // model holds pinned, which is not in it.
    std::uint64_t host_peak_bytes = 0;
};
Result<LoadBenchResult> benchLoad(engine::api::Engine& engine, const engine::api::ModelSource& model,
                                  const JobContext& job);

// VmHWM of this process, bytes.
std::uint64_t peakResidentBytes();

}  // namespace studio::jobs
