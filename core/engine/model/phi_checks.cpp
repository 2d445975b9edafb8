#include "engine/model/phi_checks.h"

#include <fmt/format.h>

#include <cmath>

namespace studio::engine {

Result<void> checkOptions(const ForwardOptions& options, bool has_adapter) {
    const auto probability = [](double p) { return p >= 0 && p < 1; };
    if (!probability(options.lora_dropout) || !probability(options.resid_dropout))
        return fail(ErrorCode::InvalidArgument, "A dropout probability is not in [0, 1).",
                    "Choose 0 or a small number like 0.05.");
    if (!std::isfinite(options.adapter_strength))
        return fail(ErrorCode::InvalidArgument, "The adapter's strength is not finite.",
                    "Choose a number from 0 to 1.");
    if (!options.training) return {};
    if (!has_adapter)
        return fail(ErrorCode::InvalidArgument, "There is no adapter to train.", "Create or load one first.");
    if (options.adapter_strength != 1)
        return fail(ErrorCode::InvalidArgument, "Training needs the adapter at its full strength.");
    return {};
}

Result<void> checkStep(std::span<const int> tokens, int used, int capacity, int vocab, std::size_t logits,
                       double adapter_strength) {
    if (tokens.empty() || tokens.size() > static_cast<std::size_t>(capacity - used))
        return fail(
            ErrorCode::OutOfRange,
            fmt::format("{} tokens do not fit: the text has {} and may have {}.", tokens.size(), used, capacity),
            "Use a shorter text or fewer new tokens.");
    if (logits != static_cast<std::size_t>(vocab) || !std::isfinite(adapter_strength))
        return fail(ErrorCode::Internal,
                    "Logits of another length than the vocabulary, or no finite adapter strength.");
    for (const int token : tokens)
        if (token < 0 || token >= vocab)
            return fail(ErrorCode::OutOfRange,
                        fmt::format("The text has the token {}, but the model's go from 0 to {}.", token, vocab - 1),
                        "Use the tokenizer of this model.");
    return {};
}

Result<void> checkEach(std::span<const NextToken> next, int vocab) {
    for (const NextToken& one : next)
        STUDIO_CHECK(checkStep({&one.token, 1}, one.cache->size(), one.cache->capacity(), vocab, one.logits.size(),
                               one.adapter_strength));
    return {};
}

}  // namespace studio::engine
