// An answer as it grows: prefill, then one token a call, until a stop token, a limit or the end of the context.
#pragma once

#include <memory>
#include <vector>

#include "engine/api/engine.h"
#include "engine/generate/decoder.h"
#include "engine/generate/sampler.h"

namespace studio::engine {

struct VocabAndContext {
    int vocab = 0, context = 0;
};

// Checks a request against a model: ids in [0, vocab), a prompt that is not empty and fits the context (the error names
// both lengths), max_new_tokens ≥ 0.
Result<void> checkRequest(const api::GenerateRequest& request, const VocabAndContext& model);

// Tokens the sequence can grow to: prompt and answer, at most the context.
int neededCapacity(const api::GenerateRequest& request, const VocabAndContext& model);

class Answer final : public api::Generation {
  public:
    // `request` passed checkRequest; the decoder is empty and holds neededCapacity().
    Answer(api::GenerateRequest request, Sampler sampler, std::unique_ptr<Decoder> decoder, int vocab);

    Result<api::GeneratedToken> next() noexcept override;
    std::span<const float> lastLogits() const noexcept override { return logits_; }

    // What next() gives, of each answer (they are of one model) into its place in `tokens`; those that need no more
    // than one token appended are computed together.
    static void nextOfEach(std::span<Answer* const> answers, std::span<Result<api::GeneratedToken>> tokens) noexcept;

  private:
    static void computeEach(std::span<Answer* const> answers, std::span<Result<api::GeneratedToken>> tokens);
    Result<api::GeneratedToken> compute();
    // Why there is no next token.
    api::StopReason over() const;
    std::span<const int> pending() const;             // tokens that the decoder does not have yet
    Decoder::Next nextPending();                      // the one pending token
    Result<api::GeneratedToken> choose();             // from the logits
    api::GeneratedToken end(api::StopReason reason);  // and every later call says the same

    api::GenerateRequest request_;
    Sampler sampler_;
    std::unique_ptr<Decoder> decoder_;
    std::vector<int> tokens_;    // prompt and answer
    std::vector<float> logits_;  // [vocab] after the last computed token; empty before the first
    int vocab_;
    int produced_ = 0;
    api::StopReason ended_ = api::StopReason::None;
};

}  // namespace studio::engine
