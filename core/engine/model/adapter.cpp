#include "engine/model/adapter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/kernels/philox.h"
#include "engine/kernels/rows.h"

namespace studio::engine {
namespace {

constexpr const char* kPaths[kLinears] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                          "mlp.fc1",          "self_attn.dense",  "mlp.fc2"};

std::string tensorName(int layer, Linear linear, const char* part) {
    return "base_model.model." + linearName(layer, linear) + part;
}

using Chosen = std::map<std::pair<int, Linear>, const api::LoraModule*>;

Result<Chosen> choose(int layers, const api::LoraSpec& spec) {
    std::map<std::string, std::pair<int, Linear>> known;
    for (int layer = 0; layer < layers; ++layer)
        for (int linear = 0; linear < kLinears; ++linear)
            known[linearName(layer, Linear(linear))] = {layer, Linear(linear)};
    Chosen chosen;
    for (const api::LoraModule& module : spec.modules) {
        const auto at = known.find(module.name);
        if (at == known.end())
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("The adapter names \"{}\", which is no linear of this model.", module.name),
                        "Choose among q_proj, k_proj, v_proj, dense, fc1 and fc2 of its layers.");
        if (module.r < 1 || !std::isfinite(module.scaling))
            return fail(ErrorCode::InvalidArgument,
                        fmt::format("The adapter's rank or scaling on \"{}\" cannot be used: r {}, scaling {}.",
                                    module.name, module.r, module.scaling),
                        "Set r to 1 or more and lora_alpha to a finite number.");
        if (!chosen.emplace(at->second, &module).second)
            return fail(ErrorCode::InvalidArgument, fmt::format("The adapter names \"{}\" twice.", module.name),
                        "Name each linear once.");
    }
    if (chosen.empty())
        return fail(ErrorCode::InvalidArgument, "The adapter adapts no linear.", "Choose at least one target module.");
    return chosen;
}

// Where the flat buffers will have each tensor.
class Layout {
  public:
    std::size_t add(std::string name, std::int64_t rows, std::int64_t cols) {
        tensors_.push_back({std::move(name), static_cast<int>(rows), static_cast<int>(cols), total_});
        total_ += tensors_.back().size();
        return tensors_.back().offset;
    }
    std::vector<AdapterTensor> take() { return std::move(tensors_); }

  private:
    std::vector<AdapterTensor> tensors_;
    std::size_t total_ = 0;
};

struct Offsets {
    std::size_t a = 0, b = 0;
};
using BlockOffsets = std::map<Linear, Offsets>;

constexpr Linear kInputStack[] = {Linear::Q, Linear::K, Linear::V, Linear::Fc1};
constexpr Linear kDenseStack[] = {Linear::Dense};
constexpr Linear kFc2Stack[] = {Linear::Fc2};
constexpr std::span<const Linear> kStacks[] = {kInputStack, kDenseStack, kFc2Stack};

BlockOffsets place(Layout& layout, const BlockShape& shape, int layer, const Chosen& chosen) {
    BlockOffsets offsets;
    for (const std::span<const Linear> stack : kStacks) {
        for (const Linear linear : stack)
            if (const auto at = chosen.find({layer, linear}); at != chosen.end())
                offsets[linear].a =
                    layout.add(tensorName(layer, linear, ".lora_A.weight"), at->second->r, shape.in(linear));
        for (const Linear linear : stack)
            if (const auto at = chosen.find({layer, linear}); at != chosen.end())
                offsets[linear].b =
                    layout.add(tensorName(layer, linear, ".lora_B.weight"), shape.out(linear), at->second->r);
    }
    return offsets;
}

LoraStack bindStack(AdapterParameters& parameters, const BlockShape& shape, int layer, const Chosen& chosen,
                    const BlockOffsets& offsets, std::span<const Linear> linears) {
    float* values = parameters.values().data();
    float* gradients = parameters.gradients().data();
    LoraStack stack;
    std::int64_t rank = 0, in = 0;
    std::size_t first = 0;
    for (const Linear linear : linears) {
        const auto at = chosen.find({layer, linear});
        if (at == chosen.end()) continue;
        const std::int64_t r = at->second->r, out = shape.out(linear);
        const Offsets& offset = offsets.at(linear);
        in = shape.in(linear);
        if (stack.empty()) first = offset.a;
        LoraLinear lora;
        lora.linear = linear;
        lora.scaling = static_cast<float>(at->second->scaling);
        lora.a = kernels::matrix(values + offset.a, r, in);
        lora.b = kernels::matrix(values + offset.b, out, r);
        lora.da = kernels::matrix(gradients + offset.a, r, in);
        lora.db = kernels::matrix(gradients + offset.b, out, r);
        lora.out_begin = linears.size() > 1 ? shape.begin(linear) : 0;
        lora.u_begin = rank;
        rank += r;
        stack.linears.push_back(lora);
    }
    if (stack.empty()) return stack;
    stack.a = kernels::matrix(values + first, rank, in);
    stack.da = kernels::matrix(gradients + first, rank, in);
    return stack;
}

// FNV-1a.
std::uint64_t hashOf(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

Result<kernels::Element> elementOf(const io::TensorView& tensor) {
    switch (tensor.dtype) {
        case io::DType::F32:
            return kernels::Element::F32;
        case io::DType::F16:
            return kernels::Element::F16;
        case io::DType::BF16:
            return kernels::Element::BF16;
        default:
            return fail(
                ErrorCode::Unsupported,
                fmt::format("The adapter's tensor \"{}\" has the type {}.", tensor.name, io::name(tensor.dtype)),
                "Adapters in F32, F16 and BF16 can be used.");
    }
}

}  // namespace

std::string linearName(int layer, Linear linear) {
    return fmt::format("model.layers.{}.{}", layer, kPaths[static_cast<int>(linear)]);
}

Result<Adapter> Adapter::layOut(const BlockShape& shape, int layers, const api::LoraSpec& spec) {
    STUDIO_TRY(const Chosen chosen, choose(layers, spec));
    Layout layout;
    std::vector<BlockOffsets> offsets;
    for (int layer = 0; layer < layers; ++layer) offsets.push_back(place(layout, shape, layer, chosen));
    Adapter adapter;
    adapter.parameters = AdapterParameters(layout.take());
    adapter.lowest = chosen.begin()->first.first;
    for (int layer = 0; layer < layers; ++layer) {
        const auto stack = [&](std::span<const Linear> linears) {
            return bindStack(adapter.parameters, shape, layer, chosen, offsets[static_cast<std::size_t>(layer)],
                             linears);
        };
        adapter.blocks.push_back(BlockAdapter{stack(kInputStack), stack(kDenseStack), stack(kFc2Stack)});
        const BlockAdapter& block = adapter.blocks.back();
        adapter.input_rank = std::max(adapter.input_rank, block.input.rank());
        adapter.dense_rank = std::max(adapter.dense_rank, block.dense.rank());
        adapter.fc2_rank = std::max(adapter.fc2_rank, block.fc2.rank());
    }
    return adapter;
}

void Adapter::initialise(std::uint64_t seed) {
    for (const AdapterTensor& tensor : parameters.tensors()) {
        float* values = parameters.values().data() + tensor.offset;
        if (tensor.name.ends_with(".lora_B.weight")) {
            std::fill_n(values, tensor.size(), 0.0f);
            continue;
        }
        const std::uint64_t hash = hashOf(tensor.name);
        const float bound = 1.0f / std::sqrt(static_cast<float>(tensor.cols));
        for (std::size_t i = 0; i < tensor.size(); ++i) {
            const auto random =
                kernels::philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                                 static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)},
                                static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
            const float unit = static_cast<float>(random[0] >> 8) * 0x1p-24f;  // [0, 1)
            values[i] = (2 * unit - 1) * bound;
        }
    }
}

Result<void> Adapter::fill(std::span<const io::TensorView> tensors) {
    const auto wrong = [](std::string message) {
        return fail(ErrorCode::InvalidArgument, std::move(message),
                    "The adapter's weights do not fit its adapter_config.json or this base model.");
    };
    std::map<std::string_view, const io::TensorView*> given;
    for (const io::TensorView& tensor : tensors) {
        if (parameters.find(tensor.name) == nullptr)
            return wrong(fmt::format("The adapter holds a tensor \"{}\" that nothing here uses.", tensor.name));
        if (!given.emplace(tensor.name, &tensor).second)
            return wrong(fmt::format("The adapter holds the tensor \"{}\" twice.", tensor.name));
    }
    for (const AdapterTensor& wanted : parameters.tensors()) {
        const auto at = given.find(wanted.name);
        if (at == given.end()) return wrong(fmt::format("The adapter lacks the tensor \"{}\".", wanted.name));
        const io::TensorView& tensor = *at->second;
        STUDIO_TRY(const kernels::Element element, elementOf(tensor));
        if (tensor.shape != std::vector<std::int64_t>{wanted.rows, wanted.cols})
            return wrong(fmt::format("The adapter's tensor \"{}\" is [{}] but should be [{}, {}].", wanted.name,
                                     fmt::join(tensor.shape, ", "), wanted.rows, wanted.cols));
        const std::size_t bytes = wanted.size() * static_cast<std::size_t>(kernels::bytesOf(element));
        if (tensor.bytes != bytes)
            return wrong(fmt::format("The adapter's tensor \"{}\" has {} bytes but its shape needs {}.", wanted.name,
                                     tensor.bytes, bytes));
        float* values = parameters.values().data() + wanted.offset;
        kernels::widen(nullptr, {const_cast<void*>(tensor.data), wanted.rows, wanted.cols, wanted.cols, element},
                       kernels::matrix(values, wanted.rows, wanted.cols));
        if (!std::all_of(values, values + wanted.size(), [](float value) { return std::isfinite(value); }))
            return fail(ErrorCode::Corrupt,
                        fmt::format("The adapter's tensor \"{}\" holds values that are not finite.", wanted.name),
                        "Use an earlier checkpoint of this adapter.");
    }
    return {};
}

}  // namespace studio::engine
