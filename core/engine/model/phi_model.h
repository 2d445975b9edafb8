// The phi architecture with LoRA: explicit forward and backward over packed rows, and decoding with a KV cache.
//
// Rows: a batch is [rows] tokens without a batch dimension and without padding; which rows see which is in its
// segments. Everything is float32 on a processor, bf16 on a GPU (engine/gpu). The header needs no torch; nothing in the
// room throws across it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/log.h"
#include "base/result.h"
#include "dataset/batch/batch.h"
#include "engine/api/types.h"
#include "engine/model/adapter_parameters.h"
#include "engine/model/device_parameters.h"

namespace studio::engine {

// What a GPU keeps between forward and backward. The numbers are the same in all three.
enum class MemoryMode {
    Auto,       // the first of the following that fits
    KeepAll,    // every activation
    Selective,  // products and attention; LayerNorm, gelu and A·x are computed again
    Recompute,  // the residual stream only (gradient checkpointing)
};

// What the buffers must hold. A batch above it makes them grow (which is slow), so reserve the largest one first.
struct Limits {
    int rows = 0;           // of a batch
    int targets = 0;        // of a batch
    int key_rows = 0;       // Σ over the segments of context and own rows; 0 where no segment has context
    bool training = false;  // keep what backward needs
    // Keep only what stands between layers and compute the rest again in backward (gradient checkpointing): the same
    // numbers for less memory and more time. Also done where everything would take half of the free memory.
    bool recompute = false;
    bool dropout = false;                  // of a GPU, in training: room for dropped inputs and branches
    MemoryMode memory = MemoryMode::Auto;  // of a GPU

    static Limits of(const dataset::Batch& batch, bool training);
    void cover(const Limits& other);  // the larger of each
    bool covers(const Limits& other) const;
};

struct ForwardOptions {
    bool training = false;        // keep what backward needs; without an adapter an error
    double adapter_strength = 1;  // 0: the base model; must be 1 when training
    double lora_dropout = 0;      // [0, 1), only when training
    double resid_dropout = 0;     // of each block's attention and MLP output, only when training
    // Every mask is a function of (seed, step, micro_batch, layer, module, element).
    std::uint64_t seed = 0;
    std::uint64_t step = 0;
    std::uint64_t micro_batch = 0;  // within the step
    bool keep_logits = false;
    bool deterministic = false;  // on a GPU: only kernels that give the same bits every time
    MemoryMode memory = MemoryMode::Auto;
    std::stop_token stop;  // checked between layers, in forward and in the backward that follows
};

// Keys and values of one growing sequence, with the small buffers that decoding needs. Independent of training: it may
// be used between any forward + backward pair and the next. Must not outlive its model.
class KvCache {
  public:
    virtual ~KvCache() = default;
    virtual int size() const noexcept = 0;  // tokens so far
    virtual int capacity() const noexcept = 0;
    virtual void truncate(int size) noexcept = 0;  // forgets everything after the first `size` tokens
};

// One token more of a sequence.
struct NextToken {
    KvCache* cache = nullptr;
    int token = 0;
    double adapter_strength = 1;
    std::span<float> logits;  // [vocab], gets those after the token
    // How the token after it will be drawn from them, if one will be. A GPU then computes that one while its caller
    // still reads the logits; what is asked for next decides, a wrong guess costs time alone.
    std::optional<api::Draw> then = {};
};

// How the block linears are held: expanded to float32 once, or as they are stored (NF4 or 16 bits) and expanded before
// each product.
enum class HoldLinears { WhereItFits, Expanded, AsStored };  // WhereItFits: within a quarter of the free memory

class PhiModel {
  public:
    // On the processor. Reads config.json and the safetensors of `source.folder`, checks every name and shape before
    // allocating, and quantises tensor by tensor. Also sets the number of compute threads.
    static Result<std::unique_ptr<PhiModel>> load(const api::ModelSource& source, Logger* log, const JobContext& job,
                                                  HoldLinears hold = HoldLinears::WhereItFits);
    virtual ~PhiModel() = default;

    virtual const api::ModelInfo& info() const noexcept = 0;
    virtual api::MemoryUse memory() const noexcept { return {}; }
    virtual void resetPeak() noexcept {}  // of memory(): the most held from now on
    // Names of the block linears in the order of the layers: "model.layers.0.self_attn.q_proj", … (what LoRA can
    // adapt).
    virtual std::vector<std::string> linearNames() const = 0;

    // Replaces the adapter. A: U(-1/sqrt(in), 1/sqrt(in)) by (seed, tensor name), B: zero. Gradients are zero.
    virtual Result<void> createAdapter(const api::LoraSpec& spec) = 0;
    // PEFT's names, F32, F16 or BF16. Missing, extra and misshapen tensors and non-finite values are errors; the
    // adapter there was before then stays.
    virtual Result<void> loadAdapter(const api::LoraSpec& spec, std::span<const io::TensorView> tensors) = 0;
    virtual void dropAdapter() noexcept = 0;
    virtual bool hasAdapter() const noexcept = 0;
    // Only with an adapter. Where device() is not null this is a copy, as old as the last fetch.
    virtual AdapterParameters& adapter() noexcept = 0;
    virtual const AdapterParameters& adapter() const noexcept = 0;
    // Where values, gradients and moments live if that is not adapter(); null on a processor.
    virtual DeviceParameters* device() noexcept { return nullptr; }

    virtual Result<void> reserve(const Limits& limits) = 0;
    // Bytes that reserve(limits) holds besides the weights, with the adapter there is.
    virtual std::uint64_t reservedBytes(const Limits& limits) const = 0;

    // Gives back what the next call makes anew: the buffers of the last batch and what the allocator keeps for later. A
    // forward pass that waits for its backward is forgotten; adapter, gradients and optimizer stay.
    virtual void freeMemory() noexcept = 0;

    // target_nll[i] = −ln p(targets[i].token | what its row sees), nats; as many as the batch has targets.
    virtual Result<void> forward(const dataset::Batch& batch, const ForwardOptions& options,
                                 std::span<float> target_nll) = 0;
    // Adds scale · d(Σ w·nll)/dθ of the last training forward to the adapter's gradients; once a forward. Stopped
    // midway it leaves them half added: zero them before the next use.
    virtual Result<void> backward(float scale) = 0;
    // Of the last forward with keep_logits: [distinct target rows ascending, vocab].
    virtual std::span<const float> keptLogits() const noexcept = 0;

    virtual Result<std::unique_ptr<KvCache>> newCache(int capacity) = 0;
    // Appends `tokens` (a whole prompt or one token) and gives the logits after the last of them, [vocab]. With an
    // error (stop included) the cache is as it was.
    virtual Result<void> step(KvCache& cache, std::span<const int> tokens, double adapter_strength,
                              std::span<float> last_logits, std::stop_token stop = {}) = 0;
    // The same for one token of each of several sequences (other caches each), computed together: the weights are read
    // once for all. With an error every cache is as it was.
    virtual Result<void> stepEach(std::span<const NextToken> next) = 0;
};

}  // namespace studio::engine
