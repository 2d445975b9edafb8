// From logits to the next token: repetition penalty → temperature → top_k → top_p, as transformers' processors do it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/api/types.h"

namespace studio::engine {

class Sampler {
  public:
    struct Candidate {
        int id = 0;
        double probability = 0;
    };

    // `vocab`: number of logits. Settings that mean nothing are errors (not a number) or are clamped (out of range),
    // which notices() tells in a sentence each.
    static Result<Sampler> create(const api::GenerateRequest& request, int vocab);
    const std::vector<std::string>& notices() const { return notices_; }

    // The token that follows `history` (prompt and answer so far). Draw n is a function of (seed, n) alone. An error
    // when a logit is not a number or no token is possible.
    Result<int> next(std::span<const float> logits, std::span<const int> history);

    // What the coming next() will do, where the logits alone decide: without a repetition penalty.
    std::optional<api::Draw> comingDraw() const;

    // What next() draws from, most probable first (ties: lower id first); one candidate when greedy.
    Result<std::span<const Candidate>> distribution(std::span<const float> logits, std::span<const int> history);

  private:
    Sampler() = default;
    Result<void> weigh(std::span<const float> logits, std::span<const int> history);
    Result<void> collect(std::span<const float> logits, std::span<const int> history);
    void keepTopK();
    void keepTopP();

    double temperature_ = 0, top_p_ = 1, repetition_penalty_ = 1;
    int top_k_ = 0, usable_vocab_ = 0;
    std::uint64_t seed_ = 0, draws_ = 0;
    std::vector<std::string> notices_;
    std::vector<Candidate> candidates_;
    std::vector<bool> seen_;
};

// Uniform in [0, 1), a function of its arguments (SplitMix64's finaliser over seed and counter).
double counterUniform(std::uint64_t seed, std::uint64_t counter);

}  // namespace studio::engine
