#include "engine/gpu/token_graph.h"

#include <algorithm>
#include <cstring>

#include "engine/kernels/decode_cuda.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

namespace {

constexpr int kKeysASplit = 64, kMostSplits = k::kDecodeMostSplits;
constexpr std::size_t kAlign = 256;

// Where everything of one token lies.
struct TokenBuffers {
    int* input = nullptr;  // id, position
    float *x[2] = {}, *h = nullptr, *y = nullptr, *u = nullptr, *sums = nullptr;
    void *h_half = nullptr, *z = nullptr;
    float *pieces = nullptr, *partial = nullptr, *logits = nullptr;
    int piece_count = 0, sum_stride = 0;
};

// Lays the buffers out from `base` on, which may be null to measure; bytes used.
std::size_t layOut(TokenBuffers& b, std::byte* base, const GpuPhi::State& s) {
    const BlockShape& shape = s.geometry.shape;
    std::size_t used = 0;
    const auto take = [&](std::int64_t bytes) -> void* {
        void* piece = base == nullptr ? nullptr : base + used;
        used += (static_cast<std::size_t>(bytes) + kAlign - 1) / kAlign * kAlign;
        return piece;
    };
    const auto floats = [&](std::int64_t count) { return static_cast<float*>(take(count * 4)); };
    const std::int64_t columns = k::kGemvBlocks * kernels::kNf4Block;
    b.piece_count = static_cast<int>((shape.q + columns - 1) / columns + (shape.intermediate + columns - 1) / columns);
    b.sum_stride = s.adapter ? static_cast<int>(std::max(s.adapter->denseWidth(), s.adapter->fc2Width())) : 0;
    const int blocks =
        k::decodeActBlocks(static_cast<int>(shape.q)) + k::decodeActBlocks(static_cast<int>(shape.intermediate));
    b.input = static_cast<int*>(take(2 * sizeof(int)));
    b.x[0] = floats(shape.hidden);
    b.x[1] = floats(shape.hidden);
    b.h = floats(shape.hidden);
    b.h_half = take(shape.hidden * 2);
    b.y = floats(shape.inputOut());
    b.z = take(shape.outputIn() * 2);
    b.u = floats(s.adapter ? s.adapter->inputWidth() : 0);
    b.sums = floats(static_cast<std::int64_t>(blocks) * b.sum_stride);
    b.pieces = floats(b.piece_count * shape.hidden);
    b.partial = floats(static_cast<std::int64_t>(s.info.heads) * kMostSplits * (s.info.head_dim + 2));
    b.logits = floats(s.info.vocab);
    return used;
}

const LoraPart* partOf(const LoraPartStack& stack, Linear linear) {
    for (const LoraPart& part : stack.parts)
        if (part.linear == linear) return &part;
    return nullptr;
}

class Recorder {
  public:
    Recorder(const GpuPhi::State& s, const GpuKvCache& cache, const TokenBuffers& b, float strength)
        : s_(s), cache_(cache), b_(b), strength_(strength) {
        splits_ = std::clamp((cache.capacity() + kKeysASplit - 1) / kKeysASplit, 1, kMostSplits);
    }

    Result<void> record() const {
        k::decodeEmbed(s_.stream, s_.weights.embedding, b_.input, b_.x[0]);
        int from = 0, pieces = 0;
        for (int layer = 0; layer < s_.info.layers; ++layer, from ^= 1, pieces = b_.piece_count)
            block(layer, from, pieces);
        k::DecodeNorm last = norm(from, pieces, s_.weights.norm_weight, s_.weights.norm_bias);
        last.h = b_.h;
        last.h_half = nullptr;
        k::decodeNorm(s_.stream, last, nullptr);
        k::decodeHead(s_.stream, s_.weights.head, s_.weights.head_bias, b_.h, b_.logits);
        return k::launched("recording a token");
    }

  private:
    k::DecodeNorm norm(int from, int pieces, const float* weight, const float* bias) const {
        k::DecodeNorm n;
        n.x = b_.x[from];
        n.pieces = b_.pieces;
        n.count = pieces;
        n.hidden = s_.info.hidden;
        n.weight = weight;
        n.bias = bias;
        n.eps = s_.geometry.norm_epsilon;
        n.x_out = b_.x[from ^ 1];
        n.h_half = b_.h_half;
        return n;
    }

    k::DecodeLora lora(const LoraPart* part) const {
        k::DecodeLora lora;
        if (part == nullptr || strength_ == 0) return lora;
        lora.a = part->a;
        lora.b = part->b;
        lora.r = static_cast<int>(part->r);
        lora.scale = part->scaling * strength_;
        return lora;
    }

    k::DecodeGroup inputGroup(int layer) const {
        k::DecodeGroup group;
        const auto& weights = s_.weights.blocks[static_cast<std::size_t>(layer)];
        for (const LinearWeights& one : weights.input.linears) {
            k::DecodeLinear& linear = group.linear[group.count++];
            linear.weights = one.nf4;
            linear.bias = static_cast<const std::uint16_t*>(weights.input_bias) + one.row;
            linear.row = static_cast<int>(one.row);
            const LoraPart* part = s_.adapter ? partOf(s_.adapter->block(layer).input, one.linear) : nullptr;
            linear.lora = lora(part);
            if (part != nullptr) linear.lora.u = b_.u + part->u_begin;
        }
        return group;
    }

    k::DecodeGroup outputGroup(int layer) const {
        k::DecodeGroup group;
        const auto& weights = s_.weights.blocks[static_cast<std::size_t>(layer)];
        const int dense_blocks = k::decodeActBlocks(static_cast<int>(s_.geometry.shape.q));
        for (const LinearWeights& one : weights.output.linears) {
            const bool dense = one.linear == Linear::Dense;
            k::DecodeLinear& linear = group.linear[group.count++];
            linear.weights = one.nf4;
            linear.bias = dense ? weights.output_bias : nullptr;
            linear.column = static_cast<int>(one.column);
            if (s_.adapter) {
                const BlockLora& block = s_.adapter->block(layer);
                linear.lora = lora(partOf(dense ? block.dense : block.fc2, one.linear));
            }
            linear.lora.u = b_.sums + (dense ? 0 : static_cast<std::int64_t>(dense_blocks) * b_.sum_stride);
            linear.lora.sums =
                dense ? dense_blocks : k::decodeActBlocks(static_cast<int>(s_.geometry.shape.intermediate));
            linear.lora.stride = b_.sum_stride;
        }
        return group;
    }

    void block(int layer, int from, int pieces) const {
        const auto& weights = s_.weights.blocks[static_cast<std::size_t>(layer)];
        const BlockShape& shape = s_.geometry.shape;
        const k::DecodeGroup input = inputGroup(layer), output = outputGroup(layer);
        k::decodeNorm(s_.stream, norm(from, pieces, weights.norm_weight, weights.norm_bias), &input);
        k::decodeStacked(s_.stream, input, b_.h_half, b_.y);
        k::DecodeAttention attention;
        attention.heads = s_.info.heads;
        attention.kv_heads = s_.info.kv_heads;
        attention.head_dim = s_.info.head_dim;
        attention.splits = splits_;
        attention.scale = s_.geometry.attention.scale;
        attention.rope = s_.geometry.rope;
        attention.y = b_.y;
        attention.keys = cache_.keys(layer).data;
        attention.values = cache_.values(layer).data;
        attention.position = b_.input + 1;
        attention.partial = b_.partial;
        k::decodeAttention(s_.stream, attention);
        k::DecodeActivate act;
        act.heads = s_.info.heads;
        act.head_dim = s_.info.head_dim;
        act.splits = splits_;
        act.intermediate = s_.info.intermediate;
        act.partial = b_.partial;
        act.fc1 = b_.y + shape.q + 2 * shape.kv;
        act.z = b_.z;
        act.dense = output.linear[0].lora;
        act.fc2 = output.linear[1].lora;
        act.sums = b_.sums;
        act.stride = b_.sum_stride;
        k::decodeActivate(s_.stream, act);
        k::decodeSideBySide(s_.stream, output, b_.z, b_.pieces);
    }

    const GpuPhi::State& s_;
    const GpuKvCache& cache_;
    const TokenBuffers& b_;
    float strength_;
    int splits_ = 1;
};

}  // namespace

bool tokenGraphFits(const GpuPhi::State& s) {
    const BlockShape& shape = s.geometry.shape;
    if (shape.hidden > k::kGemvBlocks * kernels::kNf4Block || s.info.head_dim % 16 != 0 || s.info.head_dim > 128)
        return false;
    const std::int64_t columns = k::kGemvBlocks * kernels::kNf4Block;
    if ((shape.q + columns - 1) / columns + (shape.intermediate + columns - 1) / columns > k::kDecodeMostPieces)
        return false;
    if (s.adapter && (s.adapter->inputWidth() > k::kDecodeMostRank ||
                      s.adapter->denseWidth() + s.adapter->fc2Width() > k::kDecodeMostRank))
        return false;
    for (const BlockWeights& block : s.weights.blocks)
        for (const LinearGroup* group : {&block.input, &block.output})
            for (const LinearWeights& one : group->linears)
                if (one.nf4.codes == nullptr || one.nf4.cols % kernels::kNf4Block != 0 ||
                    one.nf4.rows % k::kGemvRows != 0)
                    return false;
    return true;
}

Result<void> runTokenGraph(GpuPhi::State& s, GpuKvCache& cache, int token, float strength, std::span<float> logits) {
    DecodeBuffers& decode = s.decode;
    TokenBuffers buffers;
    if (!decode.token_laid_out) {
        const std::size_t bytes = layOut(buffers, nullptr, s);
        STUDIO_CHECK(k::finish(s.stream));
        if (bytes > decode.token_memory.bytes()) {
            decode.token_memory = {};
            STUDIO_TRY(decode.token_memory, Memory::allocate(bytes, s.stream));
        }
        if (decode.token_host.bytes() == 0) {
            STUDIO_TRY(decode.token_host, Pinned::allocate(kAlign + logits.size_bytes()));
        }
        decode.token_laid_out = true;
    }
    layOut(buffers, decode.token_memory.data(), s);
    auto* host = reinterpret_cast<int*>(decode.token_host.data());
    std::byte* arrived = decode.token_host.data() + kAlign;
    auto& recorded = cache.token;
    if (!recorded.graph || recorded.strength != strength || recorded.adapter != s.adapter_number) {
        const Recorder recorder(s, cache, buffers, strength);
        const auto token_work = [&]() -> Result<void> {
            STUDIO_CHECK(k::copyToDevice(s.stream, buffers.input, host, 2 * sizeof(int)));
            STUDIO_CHECK(recorder.record());
            return k::copyToHost(s.stream, arrived, buffers.logits, logits.size_bytes());
        };
        STUDIO_TRY(recorded.graph, k::Graph::record(s.stream, token_work));
        recorded.strength = strength;
        recorded.adapter = s.adapter_number;
    }
    host[0] = token;
    host[1] = cache.size();
    STUDIO_CHECK(recorded.graph.launch(s.stream));
    STUDIO_CHECK(k::finish(s.stream));
    std::memcpy(logits.data(), arrived, logits.size_bytes());
    return {};
}

}  // namespace studio::engine::gpu
