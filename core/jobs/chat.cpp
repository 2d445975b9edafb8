#include "jobs/chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "jobs/answer_stream.h"

namespace studio::jobs {

std::string endText(const Answer& answer) {
    switch (answer.end) {
        case Answer::End::ByItself:
            return "stopped by itself";
        case Answer::End::StopString:
            return "stopped at the next prompter's marker";
        case Answer::End::MaxTokens:
            return fmt::format("cut at {} tokens", answer.new_tokens);
        case Answer::End::ContextFull:
            return "cut: the model's context is full";
        case Answer::End::Stopped:
            return "stopped by you";
    }
    return {};
}

Result<std::vector<int>> promptTokens(const Chatter& chatter, const std::vector<ChatTurn>& turns, int max_new_tokens,
                                      int* dropped_turns) {
    const int context = chatter.model.info().context;
    const int room = std::max(context - std::min(max_new_tokens, context / 2), 1);
    const bool system = !turns.empty() && turns.front().role == text::Role::System;
    std::size_t first = system ? 1 : 0;  // first turn that is kept behind the system turn
    for (;;) {
        text::Tokens tokens;
        if (system)
            chatter.chat_template.appendTurn(chatter.tokenizer, {text::Role::System, turns[0].text}, true, tokens);
        for (std::size_t i = first; i < turns.size(); ++i)
            chatter.chat_template.appendTurn(chatter.tokenizer, {turns[i].role, turns[i].text}, i == first && !system,
                                             tokens);
        chatter.chat_template.appendPrompt(chatter.tokenizer, tokens);
        if (static_cast<int>(tokens.ids.size()) <= room) {
            if (dropped_turns) *dropped_turns = static_cast<int>(first) - (system ? 1 : 0);
            return std::move(tokens.ids);
        }
        if (first + 2 >= turns.size())
            return fail(ErrorCode::OutOfRange,
                        fmt::format("The prompt has {} tokens; the model's context holds {}, of which {} are kept for "
                                    "the answer.",
                                    tokens.ids.size(), context, context - room),
                        "Shorten the prompt, or ask for fewer new tokens.");
        first += 2;  // a prompter turn with its answer
    }
}

Result<Answer> answer(const Chatter& chatter, const std::vector<ChatTurn>& turns, const SamplingOptions& options,
                      const std::function<void(std::string_view)>& onText, const JobContext& job) {
    const auto start = std::chrono::steady_clock::now();
    Answer result;
    engine::api::GenerateRequest request;
    STUDIO_TRY(request.prompt, promptTokens(chatter, turns, options.max_new_tokens, &result.dropped_turns));
    result.prompt_tokens = static_cast<int>(request.prompt.size());
    request.max_new_tokens = options.max_new_tokens;
    request.temperature = options.temperature;
    request.top_p = options.top_p;
    request.top_k = options.top_k;
    request.seed = options.seed;
    request.stop_ids = {chatter.tokenizer.eos()};
    request.usable_vocab = std::min(chatter.tokenizer.size(), chatter.model.info().vocab);
    request.adapter_strength = options.adapter_strength;

    AnswerStream stream(chatter.tokenizer, chatter.chat_template.stopStrings());
    const auto give = [&](const std::string& piece) {
        result.text += piece;
        if (onText && !piece.empty()) onText(piece);
    };
    STUDIO_TRY(const auto generation, chatter.model.generate(request));
    for (bool going = true; going;) {
        if (job.stopped()) {
            result.end = Answer::End::Stopped;
            break;
        }
        STUDIO_TRY(const auto token, generation->next());
        if (token.id >= 0 && token.stop != engine::api::StopReason::StopToken) {
            ++result.new_tokens;
            give(stream.push(token.id));
            if (stream.stopped()) {
                result.end = Answer::End::StopString;
                break;
            }
        }
        switch (token.stop) {
            case engine::api::StopReason::None:
                continue;
            case engine::api::StopReason::StopToken:
                result.end = Answer::End::ByItself;
                break;
            case engine::api::StopReason::MaxTokens:
                result.end = Answer::End::MaxTokens;
                break;
            case engine::api::StopReason::ContextFull:
                result.end = Answer::End::ContextFull;
                break;
        }
        going = false;
    }
    give(stream.finish());
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
}

}  // namespace studio::jobs
