// What every implementation of the model refuses, before it touches anything.
#pragma once

#include <span>

#include "base/result.h"
#include "engine/model/phi_model.h"

namespace studio::engine {

// Dropouts in [0, 1), a finite strength; training needs an adapter at its full strength.
Result<void> checkOptions(const ForwardOptions& options, bool has_adapter);

// One call of decoding: `tokens` of a vocabulary of `vocab` behind the `used` of `capacity` positions; room for exactly
// the vocabulary's logits.
Result<void> checkStep(std::span<const int> tokens, int used, int capacity, int vocab, std::size_t logits,
                       double adapter_strength);
// The same for one token of each of several sequences.
Result<void> checkEach(std::span<const NextToken> next, int vocab);

}  // namespace studio::engine
