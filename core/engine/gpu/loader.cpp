#include "engine/gpu/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/gpu/plan.h"
#include "engine/gpu/tensor_upload.h"
#include "engine/kernels/nf4_cuda.h"
#include "engine/kernels/rows.h"
#include "engine/model/adapter.h"
#include "engine/model/checkpoint_check.h"
#include "engine/model/load_weights.h"
#include "engine/model/stored_nf4.h"
#include "engine/quant/nf4_tensor.h"

namespace studio::engine::gpu {
namespace {

class Loader {
  public:
    Loader(const config::PhiConfig& config, const io::SafetensorsFolder& folder, const api::ModelSource& options,
           Stream stream, const JobContext& job)
        : config_(config),
          options_(options),
          folder_(folder),
          stream_(stream),
          host_(folder, job),
          upload_(folder, stream, host_.progress()),
          shape_(blockShape(config)) {}

    Result<Weights> load();

  private:
    Result<void*> take(std::vector<Memory>& memory, std::size_t bytes) {
        STUDIO_TRY(Memory piece, Memory::allocate(bytes, stream_));
        memory.push_back(std::move(piece));
        return static_cast<void*>(memory.back().data());
    }
    template <class T>
    Result<T*> put(std::vector<Memory>& memory, const T* values, std::size_t count) {
        STUDIO_TRY(void* to, take(memory, count * sizeof(T)));
        STUDIO_CHECK(kernels::gpu::copyToDevice(stream_, to, values, count * sizeof(T)));
        STUDIO_CHECK(kernels::gpu::finish(stream_));  // the values' memory is the caller's
        return static_cast<T*>(to);
    }
    Result<std::vector<float>> vector(const std::string& name, std::int64_t count) {
        std::vector<float> values(static_cast<std::size_t>(count));
        STUDIO_CHECK(host_.floats(name, kernels::matrix(values.data(), 1, count)));
        return values;
    }
    Result<float*> norm(std::vector<Memory>& memory, const std::string& name) {
        STUDIO_TRY(const auto values, vector(name, shape_.hidden));
        return put(memory, values.data(), values.size());
    }
    Result<void*> bias(std::vector<Memory>& memory, const std::vector<float>& values) {
        std::vector<std::uint16_t> rounded(values.size());
        std::transform(values.begin(), values.end(), rounded.begin(), toBfloat16);
        STUDIO_TRY(std::uint16_t * to, put(memory, rounded.data(), rounded.size()));
        return static_cast<void*>(to);
    }
    Result<BlockWeights> block(int layer);
    Result<void> biases(int layer, BlockWeights& block);
    Result<void> linear(int layer, Linear linear, BlockWeights& block, LinearGroup& group);
    Result<kernels::Nf4View> quantise(const std::string& name, const Matrix& raw, BlockWeights& block);
    Result<kernels::Nf4View> stored(const std::string& name, std::int64_t rows, std::int64_t cols, BlockWeights& block);
    Result<void> nest(std::vector<float> absmax, BlockWeights& block, kernels::Nf4View& view);
    Result<void> embedding(Weights& weights);
    Result<void> head(Weights& weights);

    const config::PhiConfig& config_;
    const api::ModelSource& options_;
    const io::SafetensorsFolder& folder_;
    Stream stream_;
    TensorSource host_;
    TensorUpload upload_;
    BlockShape shape_;
};

Result<void> Loader::nest(std::vector<float> absmax, BlockWeights& block, kernels::Nf4View& view) {
    STUDIO_TRY(const auto nested, nestScales(std::move(absmax)));
    STUDIO_TRY(view.absmax_codes, put(block.memory, nested.absmax_codes.data(), nested.absmax_codes.size()));
    STUDIO_TRY(view.nested_absmax, put(block.memory, nested.nested_absmax.data(), nested.nested_absmax.size()));
    STUDIO_TRY(view.nested_code, put(block.memory, nested.nested_code.data(), nested.nested_code.size()));
    view.offset = nested.offset;
    return {};
}

Result<kernels::Nf4View> Loader::quantise(const std::string& name, const Matrix& raw, BlockWeights& block) {
    const std::int64_t count = raw.rows * raw.cols, blocks = (count + kernels::kNf4Block - 1) / kernels::kNf4Block;
    kernels::Nf4View view;
    view.rows = raw.rows;
    view.cols = raw.cols;
    STUDIO_TRY(void* codes, take(block.memory, static_cast<std::size_t>(count + 1) / 2));
    view.codes = static_cast<std::uint8_t*>(codes);
    std::vector<Memory> passing;
    const std::size_t bytes = static_cast<std::size_t>(blocks) * sizeof(float);
    STUDIO_TRY(void* scales, take(options_.double_quant ? passing : block.memory, bytes));
    auto* absmax = static_cast<float*>(scales);
    kernels::gpu::quantiseNf4(stream_, raw, static_cast<std::uint8_t*>(codes), absmax, upload_.badFlag());
    STUDIO_CHECK(kernels::gpu::launched("quantising"));
    STUDIO_CHECK(upload_.checkFinite(name));
    if (!options_.double_quant) {
        view.absmax = absmax;
        return view;
    }
    std::vector<float> host(static_cast<std::size_t>(blocks));
    STUDIO_CHECK(kernels::gpu::copyToHost(stream_, host.data(), absmax, bytes));
    STUDIO_CHECK(kernels::gpu::finish(stream_));
    STUDIO_CHECK(nest(std::move(host), block, view));
    return view;
}

// A linear that the checkpoint holds in 4 bits.
Result<kernels::Nf4View> Loader::stored(const std::string& name, std::int64_t rows, std::int64_t cols,
                                        BlockWeights& block) {
    STUDIO_TRY(const Nf4Tensor tensor, readStoredNf4(host_, name, rows, cols, isNested(folder_, name)));
    const kernels::Nf4View& from = tensor.view();
    const auto count = static_cast<std::size_t>(rows * cols), blocks = static_cast<std::size_t>(tensor.blocks());
    kernels::Nf4View view = from;
    STUDIO_TRY(view.codes, put(block.memory, from.codes, (count + 1) / 2));
    if (from.absmax != nullptr) {
        STUDIO_TRY(view.absmax, put(block.memory, from.absmax, blocks));
        return view;
    }
    STUDIO_TRY(view.absmax_codes, put(block.memory, from.absmax_codes, blocks));
    STUDIO_TRY(view.nested_code, put(block.memory, from.nested_code, 256));
    const std::size_t nested = (blocks + kernels::kNestedBlock - 1) / kernels::kNestedBlock;
    STUDIO_TRY(view.nested_absmax, put(block.memory, from.nested_absmax, nested));
    return view;
}

Result<void> Loader::linear(int layer, Linear linear, BlockWeights& block, LinearGroup& group) {
    const std::string name = linearName(layer, linear) + ".weight";
    const std::int64_t rows = shape_.out(linear), cols = shape_.in(linear);
    const bool stacked = linear != Linear::Dense && linear != Linear::Fc2;
    LinearWeights one;
    one.linear = linear;
    one.row = stacked ? shape_.begin(linear) : 0;
    one.column = stacked ? 0 : shape_.begin(linear);
    if (isStoredInFourBits(folder_, name)) {
        STUDIO_TRY(one.nf4, stored(name, rows, cols, block));
    } else {
        STUDIO_TRY(const Matrix raw, upload_.raw(name, rows, cols));
        if (options_.load_in_4bit) {
            STUDIO_TRY(one.nf4, quantise(name, raw, block));
        } else {
            STUDIO_TRY(void* dense, take(block.memory, static_cast<std::size_t>(rows * cols) * 2));
            one.dense = bf16Matrix(dense, rows, cols, cols);
            kernels::gpu::convert(stream_, raw, one.dense, upload_.badFlag());
            STUDIO_CHECK(upload_.checkFinite(name));
        }
    }
    group.linears.push_back(one);
    return {};
}

Result<void> Loader::biases(int layer, BlockWeights& block) {
    std::vector<float> input(static_cast<std::size_t>(shape_.inputOut()));
    for (const Linear linear : {Linear::Q, Linear::K, Linear::V, Linear::Fc1}) {
        STUDIO_TRY(const auto values, vector(linearName(layer, linear) + ".bias", shape_.out(linear)));
        std::copy(values.begin(), values.end(), input.begin() + shape_.begin(linear));
    }
    STUDIO_TRY(auto dense, vector(linearName(layer, Linear::Dense) + ".bias", shape_.hidden));
    STUDIO_TRY(const auto fc2, vector(linearName(layer, Linear::Fc2) + ".bias", shape_.hidden));
    STUDIO_TRY(block.input_bias, bias(block.memory, input));
    STUDIO_TRY(block.dense_bias, bias(block.memory, dense));
    STUDIO_TRY(block.fc2_bias, bias(block.memory, fc2));
    for (std::size_t i = 0; i < dense.size(); ++i) dense[i] += fc2[i];
    STUDIO_TRY(block.output_bias, bias(block.memory, dense));
    return {};
}

Result<BlockWeights> Loader::block(int layer) {
    BlockWeights block;
    const std::string prefix = fmt::format("model.layers.{}.input_layernorm.", layer);
    STUDIO_TRY(block.norm_weight, norm(block.memory, prefix + "weight"));
    STUDIO_TRY(block.norm_bias, norm(block.memory, prefix + "bias"));
    STUDIO_CHECK(biases(layer, block));
    block.input.out = shape_.inputOut();
    block.input.in = shape_.hidden;
    block.output.out = shape_.hidden;
    block.output.in = shape_.outputIn();
    for (const Linear linear : {Linear::Q, Linear::K, Linear::V, Linear::Fc1})
        STUDIO_CHECK(this->linear(layer, linear, block, block.input));
    for (const Linear linear : {Linear::Dense, Linear::Fc2})
        STUDIO_CHECK(this->linear(layer, linear, block, block.output));
    return block;
}

Result<void> Loader::embedding(Weights& weights) {
    const std::string name = "model.embed_tokens.weight";
    const std::int64_t vocab = config_.vocab_size, hidden = config_.hidden_size;
    const auto element = elementOf(folder_.find(name)->tensor->dtype);
    STUDIO_TRY(weights.embedding_memory,
               Pinned::allocate(static_cast<std::size_t>(vocab * hidden * kernels::bytesOf(element))));
    weights.embedding = {weights.embedding_memory.data(), vocab, hidden, hidden, element};
    return upload_.toHost(name, weights.embedding);
}

Result<void> Loader::head(Weights& weights) {
    const std::int64_t vocab = config_.vocab_size, hidden = config_.hidden_size;
    STUDIO_TRY(weights.norm_weight, norm(weights.memory, "model.final_layernorm.weight"));
    STUDIO_TRY(weights.norm_bias, norm(weights.memory, "model.final_layernorm.bias"));
    STUDIO_TRY(const auto values, vector("lm_head.bias", vocab));
    STUDIO_TRY(weights.head_bias, bias(weights.memory, values));
    STUDIO_TRY(void* memory, take(weights.memory, static_cast<std::size_t>(vocab * hidden) * 2));
    weights.head = bf16Matrix(memory, vocab, hidden, hidden);
    const std::string name = config_.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
    STUDIO_TRY(const Matrix raw, upload_.raw(name, vocab, hidden));
    kernels::gpu::convert(stream_, raw, weights.head, upload_.badFlag());
    return upload_.checkFinite(name);
}

Result<Weights> Loader::load() {
    Weights weights;
    STUDIO_CHECK(upload_.open());
    STUDIO_CHECK(embedding(weights));
    for (int layer = 0; layer < config_.num_hidden_layers; ++layer) {
        STUDIO_TRY(BlockWeights loaded, block(layer));
        weights.blocks.push_back(std::move(loaded));
    }
    STUDIO_CHECK(head(weights));
    STUDIO_CHECK(kernels::gpu::finish(stream_));
    return weights;
}

}  // namespace

Result<Weights> loadWeights(const config::PhiConfig& config, const io::SafetensorsFolder& folder,
                            const api::ModelSource& source, int card, Stream stream, Logger* log,
                            const JobContext& job) {
    STUDIO_CHECK(checkTensors(config, folder));
    const std::uint64_t table =
        static_cast<std::uint64_t>(config.vocab_size) * static_cast<std::uint64_t>(config.hidden_size);
    // The widest tensor passes through in its own type.
    const std::uint64_t needed = weightBytes(config, source.load_in_4bit, source.double_quant) + table * 4;
    const auto memory = kernels::gpu::memoryState(card);
    if (memory.free > 0 && needed > memory.free)
        return fail(ErrorCode::OutOfMemory,
                    fmt::format("The model needs about {} MB of the GPU's memory, but only {} of {} MB are free.",
                                needed >> 20, memory.free >> 20, memory.total >> 20),
                    source.load_in_4bit || config.quantisation
                        ? "Close other programs that use the GPU, or choose the device cpu."
                        : "Close other programs that use the GPU, or load the model in 4 bits.");
    Loader loader(config, folder, source, stream, job);
    STUDIO_TRY(Weights weights, loader.load());
    if (log != nullptr)
        log->info(fmt::format("Loaded {} layers, {} MB on the GPU and {} MB of the host.", config.num_hidden_layers,
                              weights.deviceBytes() >> 20, weights.embedding_memory.bytes() >> 20));
    return weights;
}

}  // namespace studio::engine::gpu
