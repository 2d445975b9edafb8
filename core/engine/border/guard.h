// Nothing is thrown across the engine's border: what escapes from LibTorch or the standard library becomes an Error.
#pragma once

#include <string_view>
#include <utility>

#include "base/result.h"

namespace studio::engine {

// Of the exception being handled. `doing`: "training", "loading the model"; it completes the sentence.
Error currentError(std::string_view doing) noexcept;

template <class Body>
auto guarded(std::string_view doing, Body&& body) noexcept -> decltype(body()) {
    try {
        return body();
    } catch (...) {
        return tl::unexpected<Error>(currentError(doing));
    }
}

}  // namespace studio::engine
