// Asking a model: turns through the template, an answer as a stream of text.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/job.h"
#include "engine/api/engine.h"
#include "jobs/answer_stream.h"
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
    double repetition_penalty = 1;
    std::uint64_t seed = 0;
    double adapter_strength = 1;  // 0: the base model
};

struct Answer {
    std::string text;
    enum class End { ByItself, StopString, MaxTokens, ContextFull, Stopped } end = End::ByItself;
    int prompt_tokens = 0, new_tokens = 0;
    int dropped_turns = 0;  // the oldest ones, when the conversation is longer than the context
    double seconds = 0;
    double first_token_seconds = 0;  // from the start to the first token
    bool byItself() const { return end == End::ByItself; }
};
// "stopped by itself", "cut at 256 tokens", …
std::string endText(const Answer& answer);

struct Chatter {
    engine::api::Model& model;
    const text::Tokenizer& tokenizer;
    const text::ChatTemplate& chat_template;
};

// What is sent: the token ids that ask for the next answer and what each is part of. Whole turns are dropped from the
// front (never the system turn) until `max_new_tokens` fit beside them in `context`; a single turn that does not fit is
// an error.
Result<text::Tokens> promptFor(const text::Tokenizer& tokenizer, const text::ChatTemplate& chat_template, int context,
                               const std::vector<ChatTurn>& turns, int max_new_tokens, int* dropped_turns);
// The same of a model's own context, only the ids.
Result<std::vector<int>> promptTokens(const Chatter& chatter, const std::vector<ChatTurn>& turns, int max_new_tokens,
                                      int* dropped_turns);

// An answer that grows by a token a step, so that it can be made in slices. Lives on the engine's thread; the model and
// the tokenizer must outlive it.
class AnswerInProgress {
  public:
    // `stop` is also looked at inside of a long prompt.
    static Result<AnswerInProgress> begin(const Chatter& chatter, const std::vector<ChatTurn>& turns,
                                          const SamplingOptions& options, std::stop_token stop = {});

    // Computes the next token and gives the text that is certain now. After done() there is nothing more.
    Result<std::string> step();
    // The same of each of several answers of `model` that are not done, computed together.
    static std::vector<Result<std::string>> stepEach(engine::api::Model& model,
                                                     std::span<AnswerInProgress* const> answers);
    bool done() const { return done_; }
    // The person stopped it: gives the text that was held back.
    std::string cut();
    const Answer& answer() const { return answer_; }

  private:
    AnswerInProgress(AnswerStream stream) : stream_(std::move(stream)) {}
    Result<std::string> take(const Result<engine::api::GeneratedToken>& token);
    std::string finish(Answer::End end);
    std::string give(std::string piece);

    AnswerStream stream_;
    std::unique_ptr<engine::api::Generation> generation_;
    std::chrono::steady_clock::time_point start_;
    Answer answer_;
    bool done_ = false;
};

// The whole answer at once. `onText` gets text that is certain, in order; may be empty.
Result<Answer> answer(const Chatter& chatter, const std::vector<ChatTurn>& turns, const SamplingOptions& options,
                      const std::function<void(std::string_view)>& onText, const JobContext& job);

struct Question {
    std::vector<ChatTurn> turns;
    SamplingOptions options;
};
// Whole answers to several questions, in their order; up to kTogether grow at once, so that the weights are read once
// for all of them. An answer may differ from the one that answer() gives where two tokens are as good as equal: sums of
// several rows are rounded in another order. `onDone`: answers so far; may be empty. Stopped: Cancelled.
inline constexpr std::size_t kTogether = 8;
Result<std::vector<Answer>> answers(const Chatter& chatter, const std::vector<Question>& questions,
                                    const std::function<void(std::size_t)>& onDone, const JobContext& job);

}  // namespace studio::jobs
