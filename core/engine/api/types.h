// Plain structs that cross the engine's border. No torch, no Qt.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/batch/batch.h"
#include "engine/api/draw.h"
#include "io/safetensors.h"

namespace studio::engine::api {

struct DeviceInfo {
    std::string kind;  // "cpu", "cuda"
    std::string name;  // "AMD EPYC", "NVIDIA H100 80GB HBM3"
    std::string uuid;  // of a GPU
    std::uint64_t memory_bytes = 0;
    int threads = 0;  // compute threads on the CPU
};

struct ModelSource {
    std::string folder;        // Hugging Face folder: config.json, safetensors
    bool load_in_4bit = true;  // NF4 for every linear but the head
    bool double_quant = true;
    std::string compute_dtype = "float32";  // "float32", "bfloat16", "float16"; on a CPU always float32
    std::string device = "auto";            // "auto", "cpu", "cuda", "cuda:0", "cuda:GPU-…"
    int threads = 0;                        // 0: all cores
};

struct ModelInfo {
    int layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, rotary_dim = 0, intermediate = 0;
    int vocab = 0, context = 0;
    std::uint64_t parameters = 0;    // of the base
    std::uint64_t weight_bytes = 0;  // held in memory, quantised and not
    bool quantised = false;
    DeviceInfo device;
};

// LoRA on one linear, by its name in the model ("model.layers.0.self_attn.q_proj"). y += scaling · B(A(dropout(x))).
struct LoraModule {
    std::string name;
    int r = 0;
    double scaling = 1;  // alpha/r, or alpha/sqrt(r) with rsLoRA
};

struct LoraSpec {
    std::vector<LoraModule> modules;
    double dropout = 0;
    std::uint64_t seed = 0;  // of the initial A: U(-1/sqrt(in), 1/sqrt(in)); B is zero
};

// The most that a micro-batch of a run has of each.
struct BatchSize {
    int rows = 0, targets = 0;
    int key_rows = 0;           // Σ over the segments of context and own rows; 0 where no segment has context
    bool equal_length = false;  // conversations of one length
};

struct TrainPlan {
    std::int64_t total_steps = 0;
    int accumulation = 1;        // micro-batches a step; the last step of an epoch may have fewer
    double steps_per_epoch = 0;  // for the `epoch` of the metrics
    double learning_rate = 2e-4;
    std::string lr_scheduler = "linear";  // constant, constant_with_warmup, linear, cosine, cosine_with_min_lr
    std::int64_t warmup_steps = 0;
    double min_lr = 0;  // cosine_with_min_lr, absolute
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
    double max_grad_norm = 1;  // 0: no clipping
    double lora_dropout = 0, resid_dropout = 0;
    std::uint64_t seed = 42;                      // of dropout
    std::int64_t save_steps = 0, eval_steps = 0;  // 0: never (a last checkpoint is always saved)
    bool eval_on_start = false, eval_at_end = true;
    // What is kept between forward and backward on a GPU: auto (the first that fits), keep_all, selective, recompute.
    std::string memory_mode = "auto";
    BatchSize largest;           // room for it is made before the first step, if it is known
    bool deterministic = false;  // the same bits every time on a GPU; slower
};

// Memory of the device that holds the model.
struct MemoryUse {
    std::uint64_t bytes = 0, peak_bytes = 0;  // held by the engine now, and at most since training began
    std::uint64_t free_bytes = 0;             // of the device; of a plan: what a run may take
    std::uint64_t context_bytes = 0;          // of a plan: what CUDA itself takes, about; neither peak nor free
    // Of the computer's own memory, pinned: the embedding, which a GPU reads in place, and with recompute the residual
    // stream before each layer.
    std::uint64_t pinned_bytes = 0;
    std::string mode;  // of training: keep_all, selective, recompute; empty before the first step
    struct Part {
        std::string name;
        std::uint64_t bytes = 0;
    };
    std::vector<Part> parts;  // weights, adapter, optimizer, activations, …
};

// How fast a device multiplies two matrices of size × size in the type it computes models in.
struct ProductRate {
    double flops = 0;  // operations a second, two for each multiplication and addition
    int size = 0;
};

// Where a run stands: everything besides the tensors that resume needs.
struct TrainerState {
    std::int64_t step = 0;                // finished optimizer steps
    dataset::StreamPosition position;     // after the last micro-batch trained on
    double loss_sum = 0, weight_sum = 0;  // Σ w·nll and Σ w over the run, for the mean training loss
    std::int64_t tokens = 0, supervised_tokens = 0;
    double seconds = 0;  // spent in steps
    double last_eval_loss = 0;
    bool has_eval_loss = false;
    double best_eval_loss = 0;
    std::int64_t best_step = -1;
    std::int64_t last_eval_step = -1;   // of last_eval_loss; an evaluation cut short by Stop is made up on resume
    std::int64_t skipped_updates = 0;   // loss or gradient was not finite
    std::int64_t skipped_in_a_row = 0;  // of these, the last ones without a good step between
};

// A checkpoint as the engine hands it out and takes it back. Views are valid during the call.
struct Checkpoint {
    TrainerState state;
    std::vector<io::TensorView> adapter;    // PEFT's names, fp32
    std::vector<io::TensorView> optimizer;  // "exp_avg.<name>", "exp_avg_sq.<name>", fp32
};

struct StepMetrics {
    std::int64_t step = 0;  // from 1
    double epoch = 0;
    double loss = 0;           // before the update, Σ w·nll / Σ w over the step
    double learning_rate = 0;  // the one used
    double grad_norm = 0;      // before clipping
    std::int64_t tokens = 0;   // rows computed
    std::int64_t supervised_tokens = 0;
    double seconds = 0;
    bool skipped = false;  // not finite: the update was not applied
    // Of a skipped update: the examples whose loss is not finite or, where every loss is, all of the step; ascending.
    std::vector<dataset::SampleId> suspects;
};

struct TrainResult {
    TrainerState state;
    enum class End { Finished, Stopped } end = End::Finished;
};

// One batch recomputed for anyone who wants to check it.
struct GradientDump {
    double loss = 0;                   // Σ w·nll / Σ w
    std::vector<float> target_nll;     // one a target
    std::vector<float> target_logits;  // [distinct target rows, vocab], rows ascending; if asked for
    std::vector<io::TensorView>
        gradients;  // dloss/dA, dloss/dB with PEFT's names, unclipped; valid until the next call
};

struct GenerateRequest {
    std::vector<int> prompt;  // token ids, at least one
    int max_new_tokens = 256;
    double temperature = 0;  // ≤ 0: greedy
    double top_p = 1;        // (0, 1]
    int top_k = 0;           // 0: all
    double repetition_penalty = 1;
    std::uint64_t seed = 0;
    std::vector<int> stop_ids;    // usually the EOS
    int usable_vocab = 0;         // ids at or above are never produced; 0: all
    double adapter_strength = 1;  // 0: the base model
    std::stop_token stop;         // checked between layers; next() then returns Cancelled and may be called again
};

enum class StopReason { None, StopToken, MaxTokens, ContextFull };

struct GeneratedToken {
    int id = -1;                         // -1: ended without a token (ContextFull, MaxTokens)
    StopReason stop = StopReason::None;  // StopToken: `id` is the stop token itself
};

}  // namespace studio::engine::api
