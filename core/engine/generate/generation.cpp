#include "engine/generate/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>

#include "base/job.h"

namespace studio::engine {

Result<void> checkRequest(const api::GenerateRequest& request, const VocabAndContext& model) {
    if (request.prompt.empty()) {
        return fail(ErrorCode::InvalidArgument, "The prompt is empty.", "Write something for the model to answer.");
    }
    if (request.prompt.size() > static_cast<std::size_t>(model.context)) {
        return fail(ErrorCode::OutOfRange,
                    fmt::format("The prompt has {} tokens, but the model's context holds {}.", request.prompt.size(),
                                model.context),
                    "Shorten it, or begin a new conversation.");
    }
    for (const int id : request.prompt) {
        if (id >= 0 && id < model.vocab) continue;
        return fail(ErrorCode::InvalidArgument,
                    fmt::format("Token {} is not in the model's vocabulary of {}.", id, model.vocab),
                    "The tokenizer belongs to another model: use the files of the base model's folder.");
    }
    if (request.max_new_tokens < 0) {
        return fail(ErrorCode::InvalidArgument, fmt::format("max_new_tokens is {}.", request.max_new_tokens),
                    "Give 0 or more.");
    }
    if (!(request.adapter_strength >= 0 && request.adapter_strength <= 1)) {
        return fail(ErrorCode::InvalidArgument, fmt::format("adapter_strength is {}.", request.adapter_strength),
                    "Give a number from 0 (base model) to 1 (adapter).");
    }
    return {};
}

int neededCapacity(const api::GenerateRequest& request, const VocabAndContext& model) {
    const auto wanted = static_cast<std::int64_t>(request.prompt.size()) + request.max_new_tokens;
    return static_cast<int>(std::min<std::int64_t>(wanted, model.context));
}

Answer::Answer(api::GenerateRequest request, Sampler sampler, std::unique_ptr<Decoder> decoder, int vocab)
    : request_(std::move(request)),
      sampler_(std::move(sampler)),
      decoder_(std::move(decoder)),
      tokens_(request_.prompt),
      vocab_(vocab) {}

namespace {

// `work` with what it throws as an error.
template <class Work>
Result<void> caught(const Work& work) noexcept {
    try {
        work();
        return {};
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "There is not enough memory to go on with the answer.",
                    "Close other programs or shorten the conversation.");
    } catch (const std::exception& error) {
        return fail(ErrorCode::Internal, fmt::format("The answer broke off ({}).", error.what()),
                    "This is a fault of the program.");
    }
}

}  // namespace

Result<api::GeneratedToken> Answer::next() noexcept {
    Result<api::GeneratedToken> token = api::GeneratedToken{};
    STUDIO_CHECK(caught([&] { token = compute(); }));
    return token;
}

void Answer::nextOfEach(std::span<Answer* const> answers, std::span<Result<api::GeneratedToken>> tokens) noexcept {
    if (const auto done = caught([&] { computeEach(answers, tokens); }); !done)
        for (auto& token : tokens) token = fail(done.error());
}

api::StopReason Answer::over() const {
    if (ended_ != api::StopReason::None) return ended_;
    if (produced_ >= request_.max_new_tokens) return api::StopReason::MaxTokens;
    if (static_cast<std::size_t>(decoder_->capacity()) < tokens_.size()) return api::StopReason::ContextFull;
    return api::StopReason::None;
}

// All tokens but the last one produced are in the decoder; after an error there may be none to append.
std::span<const int> Answer::pending() const {
    return std::span<const int>(tokens_).subspan(static_cast<std::size_t>(decoder_->size()));
}

Result<api::GeneratedToken> Answer::compute() {
    if (const auto reason = over(); reason != api::StopReason::None) return end(reason);
    if (request_.stop.stop_requested()) return cancelled();
    if (pending().size() == 1) {
        const auto next = nextPending();
        STUDIO_CHECK(decoder_->appendEach({&next, 1}));
    } else if (!pending().empty()) {
        logits_.resize(static_cast<std::size_t>(vocab_));
        STUDIO_CHECK(decoder_->append(pending(), logits_, request_.stop));
    }
    return choose();
}

Decoder::Next Answer::nextPending() {
    logits_.resize(static_cast<std::size_t>(vocab_));
    Decoder::Next next{decoder_.get(), pending()[0], logits_, {}};
    if (produced_ + 1 < request_.max_new_tokens) next.then = sampler_.comingDraw();
    return next;
}

void Answer::computeEach(std::span<Answer* const> answers, std::span<Result<api::GeneratedToken>> tokens) {
    std::vector<std::size_t> together;
    std::vector<Decoder::Next> next;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        Answer& one = *answers[i];
        const bool goes_on = one.over() == api::StopReason::None && !one.request_.stop.stop_requested();
        if (!goes_on || one.pending().size() != 1) {
            tokens[i] = one.next();
            continue;
        }
        together.push_back(i);
        next.push_back(one.nextPending());
    }
    if (together.empty()) return;
    const auto appended = next[0].sequence->appendEach(next);
    for (const std::size_t i : together)
        tokens[i] = appended ? answers[i]->choose() : Result<api::GeneratedToken>(fail(appended.error()));
}

Result<api::GeneratedToken> Answer::choose() {
    STUDIO_TRY(const int id, sampler_.next(logits_, tokens_));
    tokens_.push_back(id);
    ++produced_;
    const bool stops = std::find(request_.stop_ids.begin(), request_.stop_ids.end(), id) != request_.stop_ids.end();
    if (stops) ended_ = api::StopReason::StopToken;
    return api::GeneratedToken{id, ended_};
}

api::GeneratedToken Answer::end(api::StopReason reason) {
    ended_ = reason;
    return {-1, reason};
}

}  // namespace studio::engine
