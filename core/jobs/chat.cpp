#include "jobs/chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

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

Result<text::Tokens> promptFor(const text::Tokenizer& tokenizer, const text::ChatTemplate& chat_template, int context,
                               const std::vector<ChatTurn>& turns, int max_new_tokens, int* dropped_turns) {
    const int room = std::max(context - std::min(max_new_tokens, context / 2), 1);
    const bool system = !turns.empty() && turns.front().role == text::Role::System;
    std::size_t first = system ? 1 : 0;  // first turn that is kept behind the system turn
    for (;;) {
        text::Tokens tokens;
        if (system) chat_template.appendTurn(tokenizer, {text::Role::System, turns[0].text}, true, tokens);
        for (std::size_t i = first; i < turns.size(); ++i)
            chat_template.appendTurn(tokenizer, {turns[i].role, turns[i].text}, i == first && !system, tokens);
        chat_template.appendPrompt(tokenizer, tokens);
        if (static_cast<int>(tokens.ids.size()) <= room) {
            if (dropped_turns) *dropped_turns = static_cast<int>(first) - (system ? 1 : 0);
            return tokens;
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

Result<std::vector<int>> promptTokens(const Chatter& chatter, const std::vector<ChatTurn>& turns, int max_new_tokens,
                                      int* dropped_turns) {
    STUDIO_TRY(text::Tokens tokens, promptFor(chatter.tokenizer, chatter.chat_template, chatter.model.info().context,
                                              turns, max_new_tokens, dropped_turns));
    return std::move(tokens.ids);
}

Result<AnswerInProgress> AnswerInProgress::begin(const Chatter& chatter, const std::vector<ChatTurn>& turns,
                                                 const SamplingOptions& options, std::stop_token stop) {
    AnswerInProgress out(AnswerStream(chatter.tokenizer, chatter.chat_template.stopStrings()));
    out.start_ = std::chrono::steady_clock::now();
    engine::api::GenerateRequest request;
    STUDIO_TRY(request.prompt, promptTokens(chatter, turns, options.max_new_tokens, &out.answer_.dropped_turns));
    out.answer_.prompt_tokens = static_cast<int>(request.prompt.size());
    request.max_new_tokens = options.max_new_tokens;
    request.temperature = options.temperature;
    request.top_p = options.top_p;
    request.top_k = options.top_k;
    request.repetition_penalty = options.repetition_penalty;
    request.seed = options.seed;
    request.stop_ids = {chatter.tokenizer.eos()};
    request.usable_vocab = std::min(chatter.tokenizer.size(), chatter.model.info().vocab);
    request.adapter_strength = options.adapter_strength;
    request.stop = std::move(stop);
    STUDIO_TRY(out.generation_, chatter.model.generate(request));
    return out;
}

Result<std::string> AnswerInProgress::step() {
    if (done_) return std::string();
    return take(generation_->next());
}

std::vector<Result<std::string>> AnswerInProgress::stepEach(engine::api::Model& model,
                                                            std::span<AnswerInProgress* const> answers) {
    std::vector<engine::api::Generation*> generations;
    for (AnswerInProgress* one : answers) generations.push_back(one->generation_.get());
    std::vector<Result<engine::api::GeneratedToken>> tokens(answers.size(), engine::api::GeneratedToken{});
    model.nextOfEach(generations, tokens);
    std::vector<Result<std::string>> pieces;
    for (std::size_t i = 0; i < answers.size(); ++i) pieces.push_back(answers[i]->take(tokens[i]));
    return pieces;
}

Result<std::string> AnswerInProgress::take(const Result<engine::api::GeneratedToken>& token) {
    if (!token) {
        if (token.error().cancelled()) return finish(Answer::End::Stopped);
        done_ = true;
        generation_.reset();
        return fail(token.error());
    }
    std::string text;
    if (token->id >= 0 && token->stop != engine::api::StopReason::StopToken) {
        ++answer_.new_tokens;
        text = give(stream_.push(token->id));
        if (stream_.stopped()) return text + finish(Answer::End::StopString);
    }
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    answer_.seconds = since.count();
    if (answer_.first_token_seconds == 0) answer_.first_token_seconds = answer_.seconds;
    switch (token->stop) {
        case engine::api::StopReason::None:
            return text;
        case engine::api::StopReason::StopToken:
            return text + finish(Answer::End::ByItself);
        case engine::api::StopReason::MaxTokens:
            return text + finish(Answer::End::MaxTokens);
        case engine::api::StopReason::ContextFull:
            return text + finish(Answer::End::ContextFull);
    }
    return text;
}

std::string AnswerInProgress::cut() {
    return done_ ? std::string() : finish(Answer::End::Stopped);
}

std::string AnswerInProgress::finish(Answer::End end) {
    std::string rest = give(stream_.finish());
    answer_.end = end;
    answer_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    done_ = true;
    generation_.reset();
    return rest;
}

std::string AnswerInProgress::give(std::string piece) {
    answer_.text += piece;
    return piece;
}

Result<Answer> answer(const Chatter& chatter, const std::vector<ChatTurn>& turns, const SamplingOptions& options,
                      const std::function<void(std::string_view)>& onText, const JobContext& job) {
    const auto show = [&](const std::string& piece) {
        if (onText && !piece.empty()) onText(piece);
    };
    STUDIO_TRY(AnswerInProgress growing, AnswerInProgress::begin(chatter, turns, options, job.stop));
    while (!growing.done()) {
        if (job.stopped()) {
            show(growing.cut());
            break;
        }
        STUDIO_TRY(const std::string piece, growing.step());
        show(piece);
    }
    return growing.answer();
}

Result<std::vector<Answer>> answers(const Chatter& chatter, const std::vector<Question>& questions,
                                    const std::function<void(std::size_t)>& onDone, const JobContext& job) {
    struct Growing {
        std::size_t question;
        AnswerInProgress answer;
    };
    std::vector<Answer> whole(questions.size());
    std::vector<Growing> growing;
    std::size_t begun = 0, done = 0;
    while (done < questions.size()) {
        while (growing.size() < kTogether && begun < questions.size()) {
            const Question& question = questions[begun];
            auto answer = AnswerInProgress::begin(chatter, question.turns, question.options, job.stop);
            if (!answer && answer.error().code == ErrorCode::OutOfMemory && !growing.empty()) break;  // fewer at once
            if (!answer) return fail(answer.error());
            growing.push_back({begun++, std::move(*answer)});
        }
        if (job.stopped()) return cancelled();
        std::vector<AnswerInProgress*> each;
        for (Growing& one : growing) each.push_back(&one.answer);
        for (const auto& piece : AnswerInProgress::stepEach(chatter.model, each))
            if (!piece) return fail(piece.error());
        const std::size_t before = done;
        std::erase_if(growing, [&](Growing& one) {
            if (!one.answer.done()) return false;
            whole[one.question] = one.answer.answer();
            ++done;
            return true;
        });
        if (onDone && done != before) onDone(done);
    }
    if (std::any_of(whole.begin(), whole.end(), [](const Answer& a) { return a.end == Answer::End::Stopped; }))
        return cancelled();
    return whole;
}

}  // namespace studio::jobs
