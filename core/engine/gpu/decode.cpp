#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/gpu/gpu_state.h"
#include "engine/gpu/token_graph.h"
#include "engine/model/phi_checks.h"

namespace studio::engine::gpu {

namespace k = kernels::gpu;

namespace {

constexpr int kPrefillRows = 2048;  // of a prompt at a time

// Rows [begin, begin + tokens) of a sequence on the device.
struct DecodeRows {
    const int *tokens, *positions, *cu_q, *cu_k;
};

Result<DecodeRows> uploadRows(DecodeBuffers& buffers, Stream stream, std::span<const int> tokens, int begin) {
    const std::size_t count = tokens.size(), ints = 2 * count + 4;
    const std::size_t most = (2 * kPrefillRows + 4) * sizeof(int);
    if (buffers.host.bytes() == 0) {
        STUDIO_TRY(buffers.host, Pinned::allocate(most));
    }
    if (buffers.device.bytes() == 0) {
        STUDIO_TRY(buffers.device, Memory::allocate(most, stream));
    }
    auto* host = reinterpret_cast<int*>(buffers.host.data());
    STUDIO_CHECK(k::finish(stream));
    std::copy(tokens.begin(), tokens.end(), host);
    std::iota(host + count, host + 2 * count, begin);
    int* cu = host + 2 * count;
    cu[0] = cu[2] = 0;
    cu[1] = static_cast<int>(count);
    cu[3] = begin + static_cast<int>(count);
    STUDIO_CHECK(k::copyToDevice(stream, buffers.device.data(), host, ints * sizeof(int)));
    const auto* device = reinterpret_cast<const int*>(buffers.device.data());
    return DecodeRows{device, device + count, device + 2 * count, device + 2 * count + 2};
}

Result<void> reserveDecoding(GpuPhi::State& s, int rows) {
    DecodeBuffers& decode = s.decode;
    if (decode.laid_out && decode.limits.rows >= rows) return {};
    Limits wanted;
    wanted.rows = std::min(kPrefillRows, (rows + 127) / 128 * 128);
    wanted.targets = 1;
    const WorkspaceShape shape = s.workspaceShape();
    Workspace measure;
    const std::size_t bytes = Workspace::layOut(measure, nullptr, shape, wanted);
    if (bytes > decode.memory.bytes()) {
        decode.memory = {};
        STUDIO_TRY(decode.memory, Memory::allocate(bytes, s.stream));
    }
    Workspace::layOut(decode.workspace, decode.memory.data(), shape, wanted);
    decode.limits = wanted;
    decode.laid_out = true;
    return {};
}

// Appends rows at `begin` of the cache and leaves the residual stream in the workspace's x.
Result<void> appendRows(GpuPhi::State& s, const Pass& pass, const GpuKvCache& cache, int begin,
                        std::span<const int> tokens) {
    const auto rows = static_cast<int>(tokens.size());
    STUDIO_TRY(const DecodeRows upload, uploadRows(s.decode, s.stream, tokens, begin));
    const Workspace& ws = s.decode.workspace;
    const Matrix x = ws.x[0].top(rows);
    const Activations act = ws.kept[0].top(rows);
    const BlockShape& shape = s.geometry.shape;
    k::DeviceSequences sequences{upload.cu_q, upload.cu_k, 1, rows, begin + rows, 0};
    k::gatherRows(s.stream, s.weights.embedding, upload.tokens, x);
    for (int layer = 0; layer < s.info.layers; ++layer) {
        const BlockLora* lora = s.adapter && pass.strength != 0 ? &s.adapter->block(layer) : nullptr;
        const Block block(pass, s.geometry, s.weights.blocks[static_cast<std::size_t>(layer)], lora, layer, ws);
        STUDIO_CHECK(block.project(upload.positions, x, act));
        k::copyRows(s.stream, act.y.columns(shape.q, shape.kv), cache.keys(layer).rowRange(begin, rows));
        k::copyRows(s.stream, act.y.columns(shape.q + shape.kv, shape.kv), cache.values(layer).rowRange(begin, rows));
        STUDIO_CHECK(k::attention(s.stream, s.geometry.attention, sequences, act.y.columns(0, shape.q),
                                  cache.keys(layer).top(begin + rows), cache.values(layer).top(begin + rows), act.o,
                                  false, nullptr));
        STUDIO_CHECK(block.output(x, act, x));
    }
    return k::launched("computing the next token");
}

}  // namespace

Result<std::unique_ptr<GpuKvCache>> GpuKvCache::make(int layers, std::int64_t kv, int capacity, Stream stream) {
    auto cache = std::make_unique<GpuKvCache>();
    cache->kv_ = kv;
    cache->capacity_ = capacity;
    STUDIO_TRY(
        cache->memory_,
        Memory::allocate(static_cast<std::size_t>(2 * layers * kv) * static_cast<std::size_t>(capacity) * 2, stream));
    return cache;
}

Result<std::unique_ptr<KvCache>> GpuPhi::newCache(int capacity) {
    k::use(state_->card);
    if (capacity < 1 || capacity > state_->info.context)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("A cache of {} tokens was asked for; this model's context is {}.", capacity,
                                state_->info.context),
                    "Choose a length within the model's context.");
    return GpuKvCache::make(state_->info.layers, state_->geometry.shape.kv, capacity, state_->stream);
}

bool GpuPhi::decodesInOneGraph() const {
    k::use(state_->card);
    return tokenGraphFits(*state_);
}

Result<void> GpuPhi::step(KvCache& cache, std::span<const int> tokens, double adapter_strength,
                          std::span<float> last_logits, std::stop_token stop) try {
    auto& own = static_cast<GpuKvCache&>(cache);
    State& s = *state_;
    k::use(s.card);
    const auto count = static_cast<int>(tokens.size());
    STUDIO_CHECK(checkStep(tokens, own.size(), own.capacity(), s.info.vocab, last_logits.size(), adapter_strength));
    if (count == 1 && tokenGraphFits(s)) {
        if (stop.stop_requested()) return cancelled();
        const NextToken next{&cache, tokens[0], adapter_strength, last_logits};
        return stepEach({&next, 1});
    }
    Pass pass;
    pass.stream = s.stream;
    pass.gemm = s.gemm.get();
    pass.strength = static_cast<float>(adapter_strength);
    STUDIO_CHECK(reserveDecoding(s, std::min(count, kPrefillRows)));
    own.token.ahead = {};
    int rows = 0;
    for (int done = 0; done < count; done += rows) {
        if (stop.stop_requested()) return cancelled();
        rows = std::min(kPrefillRows, count - done);
        STUDIO_CHECK(appendRows(s, pass, own, own.size() + done,
                                tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(rows))));
    }
    const Head head{s.weights, pass, s.geometry.norm_epsilon};
    STUDIO_CHECK(
        head.logits(s.decode.workspace.x[0].rowRange(rows - 1, 1), s.decode.workspace, last_logits, s.decode.logits));
    own.setSize(own.size() + count);
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("this text"));
}

Result<void> GpuPhi::stepEach(std::span<const NextToken> next) try {
    State& s = *state_;
    k::use(s.card);
    STUDIO_CHECK(checkEach(next, s.info.vocab));
    if (tokenGraphFits(s)) {
        STUDIO_CHECK(runTokenGraphs(s, next));
        for (const NextToken& one : next) static_cast<GpuKvCache&>(*one.cache).setSize(one.cache->size() + 1);
        return {};
    }
    for (std::size_t i = 0; i < next.size(); ++i) {
        const NextToken& one = next[i];
        const auto done = step(*one.cache, {&one.token, 1}, one.adapter_strength, one.logits, {});
        if (done) continue;
        for (std::size_t j = 0; j < i; ++j) next[j].cache->truncate(next[j].cache->size() - 1);
        return done;
    }
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfHostMemory("this text"));
}

}  // namespace studio::engine::gpu
