#include "engine/gpu/token_graph.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/kernels/decode_cuda.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

namespace {

constexpr int kKeysASplit = 64, kMostSplits = k::kDecodeMostSplits;
constexpr std::size_t kAlign = 256;

// Where everything of one token lies.
struct TokenBuffers {
    int* position = nullptr;
    int* arrived = nullptr;  // of each head: pieces that are done
    float *x[2] = {}, *h = nullptr, *y = nullptr, *u = nullptr, *sums = nullptr;
    void *h_half = nullptr, *z = nullptr;
    float *pieces = nullptr, *partial = nullptr;
    int sum_stride = 0;
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
    b.sum_stride = s.adapter ? static_cast<int>(std::max(s.adapter->denseWidth(), s.adapter->fc2Width())) : 0;
    const int blocks = s.info.heads + k::decodeActBlocks(static_cast<int>(shape.intermediate));
    b.position = static_cast<int*>(take(sizeof(int)));
    b.arrived = static_cast<int*>(take(s.info.heads * static_cast<std::int64_t>(sizeof(int))));
    b.x[0] = floats(shape.hidden);
    b.x[1] = floats(shape.hidden);
    b.h = floats(shape.hidden);
    b.h_half = take(shape.hidden * 2);
    b.y = floats(k::kGemvParts * shape.inputOut());
    b.z = take(shape.outputIn() * 2);
    b.u = floats(s.adapter ? s.adapter->inputWidth() : 0);
    b.sums = floats(static_cast<std::int64_t>(blocks) * b.sum_stride);
    b.pieces = floats(k::kGemvParts * shape.hidden);
    b.partial = floats(static_cast<std::int64_t>(s.info.heads) * kMostSplits * (s.info.head_dim + 2));
    return used;
}

const LoraPart* partOf(const LoraPartStack& stack, Linear linear) {
    for (const LoraPart& part : stack.parts)
        if (part.linear == linear) return &part;
    return nullptr;
}

// What the products of a layer read.
class Groups {
  public:
    Groups(const GpuPhi::State& s, const TokenBuffers& b, float strength) : s_(s), b_(b), strength_(strength) {}

    k::DecodeGroup input(int layer) const {
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

    k::DecodeGroup output(int layer) const {
        k::DecodeGroup group;
        const auto& weights = s_.weights.blocks[static_cast<std::size_t>(layer)];
        const int dense_blocks = s_.info.heads;
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

  private:
    k::DecodeLora lora(const LoraPart* part) const {
        k::DecodeLora lora;
        if (part == nullptr || strength_ == 0) return lora;
        lora.a = part->a;
        lora.b = part->b;
        lora.r = static_cast<int>(part->r);
        lora.scale = part->scaling * strength_;
        return lora;
    }

    const GpuPhi::State& s_;
    const TokenBuffers& b_;
    float strength_;
};

class Recorder {
  public:
    // `asked` (id, position) and `for_host` are pinned memory of the host, which kernels read and write themselves.
    Recorder(const GpuPhi::State& s, const GpuKvCache& cache, const TokenBuffers& b, float strength, const int* asked,
             float* logits, float* for_host)
        : s_(s), cache_(cache), b_(b), asked_(asked), logits_(logits), for_host_(for_host), groups_(s, b, strength) {
        splits_ = std::clamp((cache.capacity() + kKeysASplit - 1) / kKeysASplit, 1, kMostSplits);
    }

    Result<void> record() const {
        k::decodeEmbed(s_.stream, s_.weights.embedding, asked_, b_.position, b_.x[0]);
        int from = 0;
        for (int layer = 0; layer < s_.info.layers; ++layer, from ^= 1) block(layer, from);
        k::DecodeNorm last = norm(from, b_.pieces, s_.weights.norm_weight, s_.weights.norm_bias);
        last.h = b_.h;
        last.h_half = nullptr;
        k::decodeNorm(s_.stream, last, nullptr);
        k::decodeHead(s_.stream, s_.weights.head, s_.weights.head_bias, b_.h, logits_, for_host_);
        return k::launched("recording a token");
    }

  private:
    k::DecodeNorm norm(int from, const float* pieces, const float* weight, const float* bias) const {
        k::DecodeNorm n;
        n.x = b_.x[from];
        n.pieces = pieces;
        n.hidden = s_.info.hidden;
        n.weight = weight;
        n.bias = bias;
        n.eps = s_.geometry.norm_epsilon;
        n.x_out = b_.x[from ^ 1];
        n.h_half = b_.h_half;
        return n;
    }

    void block(int layer, int from) const {
        const auto& weights = s_.weights.blocks[static_cast<std::size_t>(layer)];
        const BlockShape& shape = s_.geometry.shape;
        const k::DecodeGroup input = groups_.input(layer), output = groups_.output(layer);
        k::decodeNorm(s_.stream, norm(from, layer > 0 ? b_.pieces : nullptr, weights.norm_weight, weights.norm_bias),
                      &input);
        k::decodeStacked(s_.stream, input, b_.h_half, b_.y);
        k::DecodeMiddle middle;
        middle.heads = s_.info.heads;
        middle.kv_heads = s_.info.kv_heads;
        middle.head_dim = s_.info.head_dim;
        middle.splits = splits_;
        middle.intermediate = s_.info.intermediate;
        middle.scale = s_.geometry.attention.scale;
        middle.rope = s_.geometry.rope;
        middle.y = b_.y;
        middle.y_columns = static_cast<int>(shape.inputOut());
        middle.keys = cache_.keys(layer).data;
        middle.values = cache_.values(layer).data;
        middle.position = b_.position;
        middle.partial = b_.partial;
        middle.arrived = b_.arrived;
        middle.z = b_.z;
        middle.dense = output.linear[0].lora;
        middle.fc2 = output.linear[1].lora;
        middle.sums = b_.sums;
        middle.stride = b_.sum_stride;
        k::decodeMiddle(s_.stream, middle);
        k::decodeSideBySide(s_.stream, output, b_.z, b_.pieces);
    }

    const GpuPhi::State& s_;
    const GpuKvCache& cache_;
    const TokenBuffers& b_;
    const int* asked_;
    float *logits_, *for_host_;
    Groups groups_;
    int splits_ = 1;
};

}  // namespace

bool tokenGraphFits(const GpuPhi::State& s) {
    const BlockShape& shape = s.geometry.shape;
    if (shape.hidden > k::kDecodeMostHidden || !k::decodeTakesHeads(s.info.head_dim)) return false;
    for (const BlockWeights& block : s.weights.blocks)
        for (const LinearGroup* group : {&block.input, &block.output})
            for (const LinearWeights& one : group->linears)
                if (one.nf4.codes == nullptr || one.nf4.cols % kernels::kNf4Block != 0 ||
                    one.nf4.rows % k::kGemvRows != 0)
                    return false;
    const TokenBuffers nowhere;
    const Groups groups(s, nowhere, 1);
    return k::decodeFits(groups.input(0), true) && k::decodeFits(groups.output(0), false);
}

namespace {

Result<void> layOut(GpuPhi::State& s, TokenBuffers& buffers) {
    DecodeBuffers& decode = s.decode;
    if (!decode.token_laid_out) {
        const std::size_t bytes = layOut(buffers, nullptr, s);
        STUDIO_CHECK(k::finish(s.stream));
        if (bytes > decode.token_memory.bytes()) {
            decode.token_memory = {};
            STUDIO_TRY(decode.token_memory, Memory::allocate(bytes, s.stream));
        }
        layOut(buffers, decode.token_memory.data(), s);
        STUDIO_CHECK(k::zero(s.stream, buffers.arrived, static_cast<std::size_t>(s.info.heads) * sizeof(int)));
        decode.token_laid_out = true;
    }
    layOut(buffers, decode.token_memory.data(), s);
    return {};
}

constexpr int kPatience = 32;  // tokens without a guess after a wrong one

using Token = GpuKvCache::Token;

int* askedOf(const Token::Turn& turn) {
    return reinterpret_cast<int*>(turn.host.data());
}

float* logitsOf(const Token::Turn& turn) {
    return reinterpret_cast<float*>(turn.host.data() + kAlign);
}

float* logitsOf(const Token& token) {
    return reinterpret_cast<float*>(token.logits.data());
}

// The graph of a turn, which is not running.
Result<void> prepare(GpuPhi::State& s, const TokenBuffers& buffers, const GpuKvCache& cache, Token& token,
                     Token::Turn& turn) {
    const std::size_t bytes = static_cast<std::size_t>(s.info.vocab) * sizeof(float);
    if (token.logits.bytes() == 0) {
        STUDIO_TRY(token.logits, Memory::allocate(bytes, s.stream));
    }
    if (turn.host.bytes() == 0) {
        STUDIO_TRY(turn.host, Pinned::allocate(kAlign + bytes));
    }
    if (turn.graph) return {};
    const Recorder recorder(s, cache, buffers, token.strength, askedOf(turn), logitsOf(token), logitsOf(turn));
    STUDIO_TRY(turn.graph, k::Graph::record(s.stream, [&] { return recorder.record(); }));
    return {};
}

// Forgets what was recorded for another strength or adapter.
Result<void> renew(const GpuPhi::State& s, Token& token, float strength) {
    if (token.strength == strength && token.adapter == s.adapter_number) return {};
    STUDIO_CHECK(token.finish());
    for (Token::Turn& turn : token.turns) turn.graph = {};
    token.ahead = {};
    token.strength = strength;
    token.adapter = s.adapter_number;
    return {};
}

std::uint64_t changes(const GpuPhi::State& s) {
    return s.adapter ? s.adapter->changes() : 0;
}

// Whether the other turn computes just this token: it becomes the one that is asked for.
Result<bool> begunAhead(const GpuPhi::State& s, GpuKvCache& cache, const NextToken& next) {
    Token& token = cache.token;
    const auto ahead = std::exchange(token.ahead, {});
    if (ahead.position != cache.size() || ahead.values != changes(s)) return false;
    const Token::Turn& other = token.turns[token.now ^ 1];
    STUDIO_CHECK(other.drawn.wait());
    if (askedOf(other)[0] != next.token) {
        token.tokens_to_wait = kPatience;
        return false;
    }
    token.now ^= 1;
    return true;
}

Result<void> begin(GpuPhi::State& s, const TokenBuffers& buffers, GpuKvCache& cache, const NextToken& next) {
    Token& token = cache.token;
    Token::Turn& turn = token.turns[token.now];
    STUDIO_CHECK(prepare(s, buffers, cache, token, turn));
    askedOf(turn)[0] = next.token;
    askedOf(turn)[1] = cache.size();
    STUDIO_CHECK(turn.graph.launch(s.stream));
    return turn.done.record(s.stream);
}

// The token behind the one that is asked for, as it will be drawn.
Result<void> beginAhead(GpuPhi::State& s, const TokenBuffers& buffers, GpuKvCache& cache, const NextToken& next) {
    Token& token = cache.token;
    if (!next.then || cache.size() + 1 >= cache.capacity()) return {};
    if (token.tokens_to_wait > 0) {
        --token.tokens_to_wait;
        return {};
    }
    Token::Turn& turn = token.turns[token.now ^ 1];
    STUDIO_CHECK(turn.done.wait());  // after a wrong guess it may still run
    STUDIO_CHECK(prepare(s, buffers, cache, token, turn));
    k::decodeDraw(s.stream, logitsOf(token), *next.then, askedOf(turn));
    STUDIO_CHECK(k::launched("drawing a token"));
    STUDIO_CHECK(turn.drawn.record(s.stream));
    askedOf(turn)[1] = cache.size() + 1;
    STUDIO_CHECK(turn.graph.launch(s.stream));
    STUDIO_CHECK(turn.done.record(s.stream));
    token.ahead = {cache.size() + 1, changes(s)};
    return {};
}

Result<void> beginEach(GpuPhi::State& s, std::span<const NextToken> next) {
    TokenBuffers buffers;
    STUDIO_CHECK(layOut(s, buffers));
    for (const NextToken& one : next) {
        auto& cache = static_cast<GpuKvCache&>(*one.cache);
        STUDIO_CHECK(renew(s, cache.token, static_cast<float>(one.adapter_strength)));
        STUDIO_TRY(const bool begun, begunAhead(s, cache, one));
        if (!begun) STUDIO_CHECK(begin(s, buffers, cache, one));
    }
    for (const NextToken& one : next) {
        auto& cache = static_cast<GpuKvCache&>(*one.cache);
        const auto ahead = beginAhead(s, buffers, cache, one);
        if (ahead) continue;
        // Without room for a second turn each token waits until it is asked for.
        if (ahead.error().code != ErrorCode::OutOfMemory) return ahead;
        cache.token.tokens_to_wait = kPatience;
    }
    return {};
}

}  // namespace

Result<void> runTokenGraphs(GpuPhi::State& s, std::span<const NextToken> next) {
    if (const auto begun = beginEach(s, next); !begun) {
        STUDIO_CHECK(k::finish(s.stream));  // those before still read and write memory of their caches
        for (const NextToken& one : next) static_cast<GpuKvCache&>(*one.cache).token.ahead = {};
        return begun;
    }
    for (const NextToken& one : next) {
        const Token& token = static_cast<GpuKvCache&>(*one.cache).token;
        const Token::Turn& turn = token.turns[token.now];
        STUDIO_CHECK(turn.done.wait());
        std::memcpy(one.logits.data(), logitsOf(turn), one.logits.size_bytes());
    }
    return {};
}

}  // namespace studio::engine::gpu
