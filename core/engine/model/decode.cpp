#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/kernels/rows.h"
#include "engine/model/model_state.h"
#include "engine/model/phi_checks.h"

namespace studio::engine {
namespace {

constexpr int kPrefillRows = 128;  // of a prompt at a time
constexpr int kTogether = 16;      // sequences, for whose logits there is room

Limits decodingLimits() {
    Limits limits;
    limits.rows = kPrefillRows;
    limits.targets = kTogether;
    return limits;
}

}  // namespace

Result<void> CpuPhi::State::reserveDecoding() {
    if (decode_laid_out) return {};
    const Limits wanted = decodingLimits();
    const WorkspaceShape shape = workspaceShape(wanted);
    kernels::Arena measure;
    Workspace::layOut(measure, shape, wanted);
    if (measure.used() > decode_memory.bytes()) {
        decode_memory = {};
        STUDIO_TRY(decode_memory, kernels::Buffer::allocate(measure.used()));
    }
    kernels::Arena arena(decode_memory.data());
    decode = Workspace::layOut(arena, shape, wanted);
    decode_laid_out = true;
    return {};
}

Result<void> CpuPhi::State::decodeRows(PhiKvCache& cache, int begin, std::span<const int> tokens, float strength,
                                       std::span<float> last_logits) {
    const auto rows = static_cast<int>(tokens.size());
    PassOptions options;
    options.strength = strength;
    CachedKeys keys(cache, begin, rows);
    const kernels::Matrix x = decode.x[0].top(rows);
    kernels::gatherRows(options.stream, weights.embedding.matrix, tokens.data(), x);
    for (int layer = 0; layer < info.layers; ++layer)
        STUDIO_CHECK(block(layer, strength).forward(options, x, keys, decode.scratch, decode.of(layer).top(rows), &x));
    if (!last_logits.empty()) {
        float* const out = last_logits.data();
        head().logits(options.stream, x.rowRange(rows - 1, 1), decode.head, {&out, 1});
    }
    return {};
}

Result<void> CpuPhi::State::decodeEach(std::span<const NextToken> next) {
    std::vector<PhiKvCache*> caches;
    std::vector<int> tokens;
    std::vector<float> strengths;
    std::vector<float*> logits;
    for (const NextToken& one : next) {
        caches.push_back(static_cast<PhiKvCache*>(one.cache));
        tokens.push_back(one.token);
        strengths.push_back(static_cast<float>(one.adapter_strength));
        logits.push_back(one.logits.data());
    }
    const bool same = std::all_of(strengths.begin(), strengths.end(), [&](float s) { return s == strengths[0]; });
    PassOptions options;
    options.strength = same ? strengths[0] : 1;
    options.row_strength = same ? nullptr : strengths.data();
    EndOfEach keys(caches);
    const auto rows = static_cast<std::int64_t>(next.size());
    const kernels::Matrix x = decode.x[0].top(rows);
    kernels::gatherRows(options.stream, weights.embedding.matrix, tokens.data(), x);
    for (int layer = 0; layer < info.layers; ++layer)
        STUDIO_CHECK(
            block(layer, options.strength).forward(options, x, keys, decode.scratch, decode.of(layer).top(rows), &x));
    head().logits(options.stream, x, decode.head, logits);
    return {};
}

Result<std::unique_ptr<KvCache>> CpuPhi::newCache(int capacity) {
    if (capacity < 1 || capacity > state_->info.context)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("A cache of {} tokens was asked for; this model's context is {}.", capacity,
                                state_->info.context),
                    "Choose a length within the model's context.");
    return PhiKvCache::make(state_->info.layers, state_->geometry.shape.kv, capacity);
}

Result<void> CpuPhi::step(KvCache& cache, std::span<const int> tokens, double adapter_strength,
                          std::span<float> last_logits, std::stop_token stop) try {
    auto& own = static_cast<PhiKvCache&>(cache);
    State& s = *state_;
    const auto count = static_cast<int>(tokens.size());
    STUDIO_CHECK(checkStep(tokens, own.size(), own.capacity(), s.info.vocab, last_logits.size(), adapter_strength));
    STUDIO_CHECK(s.reserveDecoding());
    for (int done = 0; done < count; done += kPrefillRows) {
        if (stop.stop_requested()) return cancelled();
        const int rows = std::min(kPrefillRows, count - done);
        const bool last = done + rows == count;
        STUDIO_CHECK(s.decodeRows(own, own.size() + done,
                                  tokens.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(rows)),
                                  static_cast<float>(adapter_strength), last ? last_logits : std::span<float>()));
    }
    own.setSize(own.size() + count);
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("this text"));
}

Result<void> CpuPhi::stepEach(std::span<const NextToken> next) try {
    State& s = *state_;
    STUDIO_CHECK(checkEach(next, s.info.vocab));
    STUDIO_CHECK(s.reserveDecoding());
    for (std::size_t done = 0; done < next.size(); done += kTogether)
        STUDIO_CHECK(s.decodeEach(next.subspan(done, std::min<std::size_t>(kTogether, next.size() - done))));
    for (const NextToken& one : next) static_cast<PhiKvCache*>(one.cache)->setSize(one.cache->size() + 1);
    return {};
} catch (const std::bad_alloc&) {
    return fail(outOfMemory("this text"));
}

}  // namespace studio::engine
