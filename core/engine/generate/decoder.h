// What generating needs of a model: one growing sequence.
#pragma once

#include <span>
#include <stop_token>

#include "base/result.h"

namespace studio::engine {

class Decoder {
  public:
    virtual ~Decoder() = default;
    // Appends `tokens` and gives the logits after the last of them, [vocab]. With an error nothing was appended.
    virtual Result<void> append(std::span<const int> tokens, std::span<float> last_logits, std::stop_token stop) = 0;
    virtual int size() const = 0;      // tokens so far
    virtual int capacity() const = 0;  // tokens it can hold
};

}  // namespace studio::engine
