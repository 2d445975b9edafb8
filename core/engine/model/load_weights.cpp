#include "engine/model/load_weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/kernels/rows.h"
#include "engine/model/adapter.h"
#include "engine/model/checkpoint_check.h"
#include "engine/model/stored_nf4.h"
#include "engine/model/tensor_source.h"

namespace studio::engine {

using kernels::Matrix;

namespace {

std::int64_t linearWeights(const config::PhiConfig& config) {
    std::int64_t total = 0;
    for (const auto& linear : config::linears(config)) total += static_cast<std::int64_t>(linear.in) * linear.out;
    return total;
}

std::int64_t largestLinear(const config::PhiConfig& config) {
    return static_cast<std::int64_t>(config.hidden_size) * std::max(config.intermediate_size, config.hidden_size);
}

// What loading will hold at its peak: linears, embedding and head, and one linear on its way.
std::uint64_t bytesNeeded(const config::PhiConfig& config, bool resident, bool four_bit) {
    const auto linears = static_cast<std::uint64_t>(linearWeights(config));
    const std::uint64_t held = resident ? linears * 4 : four_bit ? linears * 9 / 16 : linears * 2;
    const std::uint64_t table =
        static_cast<std::uint64_t>(config.vocab_size) * static_cast<std::uint64_t>(config.hidden_size);
    return held + table * 6 + static_cast<std::uint64_t>(largestLinear(config)) * 8;
}

const char* quantisationInWords(const config::PhiConfig& config, const api::ModelSource& source) {
    if (config.quantisation) return "as the checkpoint quantised them";
    if (!source.load_in_4bit) return "not quantised";
    return source.double_quant ? "NF4 with double quantisation" : "NF4";
}

class Loader {
  public:
    Loader(const config::PhiConfig& config, const io::SafetensorsFolder& folder, const api::ModelSource& options,
           const JobContext& job, bool resident)
        : config_(config),
          options_(options),
          folder_(folder),
          source_(folder, job),
          shape_(blockShape(config)),
          resident_(resident) {}

    Result<BaseWeights> load();

  private:
    Result<void> loadVector(const std::string& name, float* into, std::int64_t count) {
        return source_.floats(name, kernels::matrix(into, 1, count));
    }
    Result<BlockWeights> block(int layer);
    Result<void> vectors(int layer, BlockWeights& block);
    Result<void> linear(int layer, Linear linear, LinearGroup& group);
    Result<Nf4Tensor> quantise(const std::string& name, std::int64_t rows, std::int64_t cols);
    Result<void> head(BaseWeights& weights);

    const config::PhiConfig& config_;
    const api::ModelSource& options_;
    const io::SafetensorsFolder& folder_;
    TensorSource source_;
    BlockShape shape_;
    bool resident_;
    std::vector<float> values_;  // of one linear
};

Result<void> Loader::vectors(int layer, BlockWeights& block) {
    const auto layOut = [&](kernels::Arena arena) {
        const auto take = [&](std::int64_t count) { return arena.floats(static_cast<std::size_t>(count)); };
        block.norm_weight = take(shape_.hidden);
        block.norm_bias = take(shape_.hidden);
        block.input_bias = take(shape_.inputOut());
        block.dense_bias = take(shape_.hidden);
        block.fc2_bias = take(shape_.hidden);
        block.output_bias = take(shape_.hidden);
        return arena.used();
    };
    STUDIO_TRY(block.small, kernels::Buffer::allocate(layOut(kernels::Arena{})));
    layOut(kernels::Arena(block.small.data()));
    const std::string norm = fmt::format("model.layers.{}.input_layernorm.", layer);
    STUDIO_CHECK(loadVector(norm + "weight", block.norm_weight, shape_.hidden));
    STUDIO_CHECK(loadVector(norm + "bias", block.norm_bias, shape_.hidden));
    for (const Linear linear : {Linear::Q, Linear::K, Linear::V, Linear::Fc1})
        STUDIO_CHECK(loadVector(linearName(layer, linear) + ".bias", block.input_bias + shape_.begin(linear),
                                shape_.out(linear)));
    STUDIO_CHECK(loadVector(linearName(layer, Linear::Dense) + ".bias", block.dense_bias, shape_.hidden));
    STUDIO_CHECK(loadVector(linearName(layer, Linear::Fc2) + ".bias", block.fc2_bias, shape_.hidden));
    for (std::int64_t i = 0; i < shape_.hidden; ++i) block.output_bias[i] = block.dense_bias[i] + block.fc2_bias[i];
    return {};
}

Result<void> Loader::linear(int layer, Linear linear, LinearGroup& group) {
    const std::string name = linearName(layer, linear) + ".weight";
    const std::int64_t rows = shape_.out(linear), cols = shape_.in(linear);
    const bool stacked = linear != Linear::Dense && linear != Linear::Fc2;
    const std::int64_t row = stacked ? shape_.begin(linear) : 0, column = stacked ? 0 : shape_.begin(linear);
    const Matrix place = resident_ ? group.resident().rowRange(row, rows).columns(column, cols) : Matrix{};
    const bool stored = isStoredInFourBits(folder_, name);
    if (!stored && !options_.load_in_4bit) {
        if (resident_) return source_.floats(name, place);
        STUDIO_TRY(DenseTensor dense, source_.asStored(name, rows, cols));
        group.add(std::move(dense), row, column);
        return {};
    }
    STUDIO_TRY(Nf4Tensor tensor,
               stored ? readStoredNf4(source_, name, rows, cols, isNested(folder_, name)) : quantise(name, rows, cols));
    if (resident_)
        kernels::dequantiseNf4(nullptr, tensor.view(), place);
    else
        group.add(std::move(tensor), row, column);
    return {};
}

Result<Nf4Tensor> Loader::quantise(const std::string& name, std::int64_t rows, std::int64_t cols) {
    values_.resize(static_cast<std::size_t>(rows * cols));
    STUDIO_CHECK(source_.floats(name, kernels::matrix(values_.data(), rows, cols)));
    return Nf4Tensor::quantise(values_, rows, cols, options_.double_quant);
}

Result<BlockWeights> Loader::block(int layer) {
    BlockWeights block;
    STUDIO_CHECK(vectors(layer, block));
    const auto make = [&](std::int64_t out, std::int64_t in) -> Result<LinearGroup> {
        return resident_ ? LinearGroup::makeResident(out, in) : LinearGroup::makeStored(out, in);
    };
    STUDIO_TRY(block.input, make(shape_.inputOut(), shape_.hidden));
    STUDIO_TRY(block.output, make(shape_.hidden, shape_.outputIn()));
    for (const Linear linear : {Linear::Q, Linear::K, Linear::V, Linear::Fc1})
        STUDIO_CHECK(this->linear(layer, linear, block.input));
    for (const Linear linear : {Linear::Dense, Linear::Fc2}) STUDIO_CHECK(this->linear(layer, linear, block.output));
    return block;
}

Result<void> Loader::head(BaseWeights& weights) {
    const std::int64_t vocab = config_.vocab_size, hidden = config_.hidden_size;
    const auto layOut = [&](kernels::Arena arena) {
        weights.head_bias = arena.floats(static_cast<std::size_t>(vocab));
        weights.norm_weight = arena.floats(static_cast<std::size_t>(hidden));
        weights.norm_bias = arena.floats(static_cast<std::size_t>(hidden));
        return arena.used();
    };
    STUDIO_TRY(weights.small, kernels::Buffer::allocate(layOut(kernels::Arena{})));
    layOut(kernels::Arena(weights.small.data()));
    STUDIO_CHECK(loadVector("lm_head.bias", weights.head_bias, vocab));
    STUDIO_CHECK(loadVector("model.final_layernorm.weight", weights.norm_weight, hidden));
    STUDIO_CHECK(loadVector("model.final_layernorm.bias", weights.norm_bias, hidden));

    STUDIO_TRY(weights.head.memory,
               kernels::Buffer::allocate(static_cast<std::size_t>(vocab * hidden) * sizeof(float)));
    weights.head.matrix = kernels::matrix(weights.head.memory.f32(), vocab, hidden);
    if (!config_.tie_word_embeddings) return source_.floats("lm_head.weight", weights.head.matrix);
    kernels::widen(nullptr, weights.embedding.matrix, weights.head.matrix);
    return {};
}

Result<BaseWeights> Loader::load() {
    BaseWeights weights;
    STUDIO_TRY(weights.embedding,
               source_.asStored("model.embed_tokens.weight", config_.vocab_size, config_.hidden_size));
    for (int layer = 0; layer < config_.num_hidden_layers; ++layer) {
        STUDIO_TRY(BlockWeights loaded, block(layer));
        weights.blocks.push_back(std::move(loaded));
    }
    STUDIO_CHECK(head(weights));
    return weights;
}

}  // namespace

BlockShape blockShape(const config::PhiConfig& config) {
    return {config.hidden_size, static_cast<std::int64_t>(config.num_attention_heads) * config.head_dim,
            static_cast<std::int64_t>(config.num_key_value_heads) * config.head_dim, config.intermediate_size};
}

Result<BaseWeights> loadWeights(const config::PhiConfig& config, const io::SafetensorsFolder& folder,
                                const api::ModelSource& source, HoldLinears hold, Logger* log, const JobContext& job) {
    STUDIO_CHECK(checkTensors(config, folder));
    const std::size_t available = kernels::availableMemory();
    const bool fits = static_cast<std::uint64_t>(linearWeights(config)) * 4 <= available / 4;
    const bool resident = hold == HoldLinears::WhereItFits ? fits : hold == HoldLinears::Expanded;
    const std::uint64_t needed = bytesNeeded(config, resident, source.load_in_4bit);
    if (available > 0 && needed > available)
        return fail(ErrorCode::OutOfMemory,
                    fmt::format("The model needs about {} MB of memory, but only {} MB are free.", needed >> 20,
                                available >> 20),
                    source.load_in_4bit ? "Close other programs, or choose a smaller model."
                                        : "Close other programs, or load the model in 4 bits.");
    Loader loader(config, folder, source, job, resident);
    STUDIO_TRY(BaseWeights weights, loader.load());
    if (log != nullptr)
        log->info(fmt::format("Loaded {} layers, {} MB, linears {}{}.", config.num_hidden_layers, weights.bytes() >> 20,
                              quantisationInWords(config, source), resident ? ", held in float32" : ""));
    return weights;
}

}  // namespace studio::engine
