// What generating needs of a model: growing sequences.
#pragma once

#include <optional>
#include <span>
#include <stop_token>

#include "base/result.h"
#include "engine/api/draw.h"

namespace studio::engine {

class Decoder {
  public:
    // One token more of a sequence, and the logits after it.
    struct Next {
        Decoder* sequence = nullptr;
        int token = 0;
        std::span<float> logits;  // [vocab]
        // How the token behind it will be drawn from them, if one will be: a GPU begins with that one at once.
        std::optional<api::Draw> then = {};
    };

    virtual ~Decoder() = default;
    // Appends `tokens` and gives the logits after the last of them, [vocab]. With an error nothing was appended.
    virtual Result<void> append(std::span<const int> tokens, std::span<float> last_logits, std::stop_token stop) = 0;
    // One token of each of several sequences of the same model, of which this is one. With an error nothing was
    // appended to any.
    virtual Result<void> appendEach(std::span<const Next> next) = 0;
    virtual int size() const = 0;      // tokens so far
    virtual int capacity() const = 0;  // tokens it can hold
};

}  // namespace studio::engine
