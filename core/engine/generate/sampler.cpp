#include "engine/generate/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace studio::engine {
namespace {

std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

// Whether `a` ranks after `b`: the order of a heap whose top is the most probable candidate, lower ids first.
bool ranksAfter(const Sampler::Candidate& a, const Sampler::Candidate& b) {
    return a.probability != b.probability ? a.probability < b.probability : a.id > b.id;
}

tl::unexpected<Error> notANumber(const char* key) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} is not a number.", key), "Give an ordinary number.");
}

}  // namespace

double counterUniform(std::uint64_t seed, std::uint64_t counter) {
    return static_cast<double>(mix(mix(seed) ^ mix(~counter)) >> 11) * 0x1p-53;
}

Result<Sampler> Sampler::create(const api::GenerateRequest& request, int vocab) {
    Sampler s;
    if (!std::isfinite(request.temperature)) return notANumber("temperature");
    if (std::isnan(request.top_p)) return notANumber("top_p");
    if (!std::isfinite(request.repetition_penalty)) return notANumber("repetition_penalty");
    s.temperature_ = std::max(0.0, request.temperature);
    s.top_p_ = request.top_p;
    if (s.top_p_ > 1) {
        s.top_p_ = 1;
        s.notices_.push_back(fmt::format("top_p {} is above 1: every token is allowed.", request.top_p));
    } else if (s.top_p_ <= 0) {
        s.top_p_ = 0;
        s.notices_.push_back(fmt::format("top_p {} leaves only the most probable token.", request.top_p));
    }
    s.top_k_ = request.top_k;
    if (s.top_k_ < 0) {
        s.top_k_ = 0;
        s.notices_.push_back(fmt::format("top_k {} is below 0: every token is allowed.", request.top_k));
    }
    s.repetition_penalty_ = request.repetition_penalty;
    if (s.repetition_penalty_ <= 0) {
        s.repetition_penalty_ = 1;
        s.notices_.push_back(
            fmt::format("repetition_penalty {} is not above 0: none is applied.", request.repetition_penalty));
    }
    s.usable_vocab_ = request.usable_vocab > 0 ? std::min(request.usable_vocab, vocab) : vocab;
    s.seed_ = request.seed;
    return s;
}

Result<int> Sampler::next(std::span<const float> logits, std::span<const int> history) {
    STUDIO_CHECK(weigh(logits, history));
    double left = counterUniform(seed_, draws_++);
    if (candidates_.size() == 1) return candidates_[0].id;
    if (top_p_ < 1) {
        keepTopP();
        for (const Candidate& candidate : candidates_) {
            left -= candidate.probability;
            if (left < 0) return candidate.id;
        }
        return candidates_.back().id;  // rounding left a little over
    }
    // Only as many are put in order as the number drawn asks for.
    auto end = candidates_.end();
    std::make_heap(candidates_.begin(), end, ranksAfter);
    do {
        std::pop_heap(candidates_.begin(), end, ranksAfter);
        --end;
        left -= end->probability;
    } while (left >= 0 && end != candidates_.begin());
    return end->id;
}

std::optional<api::Draw> Sampler::comingDraw() const {
    if (repetition_penalty_ != 1) return std::nullopt;
    return api::Draw{temperature_, top_p_, top_k_, usable_vocab_, counterUniform(seed_, draws_)};
}

namespace {

// The first of the largest logits; −1 where one is not finite. In blocks, so that only one is searched for its place.
int firstLargest(std::span<const float> logits) {
    constexpr std::size_t kBlock = 256;
    float largest = -std::numeric_limits<float>::infinity(), bad = 0;
    std::size_t in = 0;
    for (std::size_t begin = 0; begin < logits.size(); begin += kBlock) {
        const std::size_t end = std::min(begin + kBlock, logits.size());
        float best = -std::numeric_limits<float>::infinity(), difference = 0;
#pragma omp simd reduction(max : best) reduction(+ : difference)
        for (std::size_t i = begin; i < end; ++i) {
            best = best > logits[i] ? best : logits[i];
            difference += logits[i] - logits[i];  // 0, or not a number
        }
        bad += difference;
        if (best > largest) {
            largest = best;
            in = begin;
        }
    }
    if (bad != 0 || logits.empty()) return -1;
    return static_cast<int>(std::find(logits.begin() + static_cast<std::ptrdiff_t>(in), logits.end(), largest) -
                            logits.begin());
}

}  // namespace

Result<std::span<const Sampler::Candidate>> Sampler::distribution(std::span<const float> logits,
                                                                  std::span<const int> history) {
    STUDIO_CHECK(weigh(logits, history));
    if (candidates_.size() > 1) keepTopP();
    return std::span<const Candidate>(candidates_);
}

// Whatever top_k leaves, in no order; the best one alone when greedy.
Result<void> Sampler::weigh(std::span<const float> logits, std::span<const int> history) {
    if (temperature_ == 0 && repetition_penalty_ == 1) {
        const std::size_t usable = std::min(logits.size(), static_cast<std::size_t>(usable_vocab_));
        if (const int best = firstLargest(logits.first(usable)); best >= 0) {
            candidates_.assign(1, {best, 1.0});
            return {};
        }
    }
    STUDIO_CHECK(collect(logits, history));  // probability holds the logit until the softmax below
    if (temperature_ == 0) {
        const Candidate best = *std::max_element(candidates_.begin(), candidates_.end(), ranksAfter);
        candidates_.assign(1, {best.id, 1.0});
        return {};
    }
    keepTopK();
    double highest = candidates_[0].probability;
    for (const Candidate& c : candidates_) highest = std::max(highest, c.probability);
    double sum = 0;
    for (Candidate& c : candidates_) {
        c.probability = std::exp((c.probability - highest) / temperature_);
        sum += c.probability;
    }
    for (Candidate& c : candidates_) c.probability /= sum;
    return {};
}

Result<void> Sampler::collect(std::span<const float> logits, std::span<const int> history) {
    const std::size_t usable = std::min(logits.size(), static_cast<std::size_t>(usable_vocab_));
    seen_.assign(usable, false);
    if (repetition_penalty_ != 1)
        for (const int id : history)
            if (id >= 0 && static_cast<std::size_t>(id) < usable) seen_[id] = true;
    candidates_.clear();
    for (std::size_t id = 0; id < usable; ++id) {
        double logit = logits[id];
        if (std::isnan(logit) || logit == std::numeric_limits<double>::infinity()) {
            return fail(ErrorCode::OutOfRange,
                        fmt::format("The model's output for token {} is not a finite number.", id),
                        "The adapter or the base model is damaged: choose an earlier checkpoint, or check the files.");
        }
        if (std::isinf(logit)) continue;  // impossible
        if (seen_[id]) logit = logit < 0 ? logit * repetition_penalty_ : logit / repetition_penalty_;
        candidates_.push_back({static_cast<int>(id), logit});
    }
    if (candidates_.empty()) {
        return fail(ErrorCode::OutOfRange, "The model gives every token probability 0, so there is no next token.",
                    "The adapter or the base model is damaged: choose an earlier checkpoint, or check the files.");
    }
    return {};
}

// The k highest and, as in transformers, everything that equals the lowest of them.
void Sampler::keepTopK() {
    if (top_k_ <= 0 || candidates_.size() <= static_cast<std::size_t>(top_k_)) return;
    const auto kth = candidates_.begin() + (top_k_ - 1);
    std::nth_element(candidates_.begin(), kth, candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return ranksAfter(b, a); });
    const double lowest = kth->probability;
    std::erase_if(candidates_, [&](const Candidate& c) { return c.probability < lowest; });
}

// The smallest set of most probable tokens whose probabilities reach top_p, renormalised. A heap gives them in order
// without sorting the whole vocabulary.
void Sampler::keepTopP() {
    auto end = candidates_.end();
    std::make_heap(candidates_.begin(), end, ranksAfter);
    double sum = 0;
    while (end != candidates_.begin()) {
        std::pop_heap(candidates_.begin(), end, ranksAfter);
        --end;
        sum += end->probability;
        if (top_p_ < 1 && sum >= top_p_) break;
    }
    candidates_.erase(candidates_.begin(), end);
    std::reverse(candidates_.begin(), candidates_.end());
    for (Candidate& c : candidates_) c.probability /= sum;
}

}  // namespace studio::engine
