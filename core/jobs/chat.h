// Asking a model: turns through the template, an answer as a stream of text.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/job.h"
#include "engine/api/engine.h"
#include "text/chat_template.h"

namespace studio::jobs {

struct ChatTurn {
    text::Role role = text::Role::Prompter;
    std::string text;
};

struct SamplingOptions {
    int max_new_tokens = 256;
    double temperature = 0.7;  // ≤ 0: greedy
    double top_p = 0.9;
    int top_k = 0;  // 0: all
    std::uint64_t seed = 0;
    double adapter_strength = 1;  // 0: the base model
};

struct Answer {
    std::string text;
    enum class End { ByItself, StopString, MaxTokens, ContextFull, Stopped } end = End::ByItself;
    int prompt_tokens = 0, new_tokens = 0;
    int dropped_turns = 0;  // the oldest ones, when the conversation is longer than the context
    double seconds = 0;
    bool byItself() const { return end == End::ByItself; }
};
// "stopped by itself", "cut at 256 tokens", …
std::string endText(const Answer& answer);

struct Chatter {
    engine::api::Model& model;
    const text::Tokenizer& tokenizer;
    const text::ChatTemplate& chat_template;
};

// Token ids that ask for the next answer. Whole turns are dropped from the front (never the system turn) until
// `max_new_tokens` fit beside them; a single turn that does not fit is an error.
Result<std::vector<int>> promptTokens(const Chatter& chatter, const std::vector<ChatTurn>& turns, int max_new_tokens,
                                      int* dropped_turns);

// `onText` gets text that is certain, in order; may be empty.
Result<Answer> answer(const Chatter& chatter, const std::vector<ChatTurn>& turns, const SamplingOptions& options,
                      const std::function<void(std::string_view)>& onText, const JobContext& job);

}  // namespace studio::jobs
