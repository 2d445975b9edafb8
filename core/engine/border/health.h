// Whether the engine's accelerator can still be used. One for an engine and everything that it has loaded.
#pragma once

#include <optional>
#include <string_view>

#include "engine/border/guard.h"

namespace studio::engine {

class DeviceHealth {
  public:
    // body(), with what it throws as an error. Once the device was lost everything is refused in the same words: CUDA
    // answers nothing more in this process, and what it would compute could not be trusted.
    template <class Body>
    auto guarded(std::string_view doing, Body&& body) noexcept -> decltype(body()) {
        return engine::guarded(doing, [&]() -> decltype(body()) {
            if (lost_) return fail(*lost_);
            auto result = engine::guarded(doing, std::forward<Body>(body));
            if (!result && result.error().code == ErrorCode::DeviceLost && !lost_) lost_ = result.error();
            return result;
        });
    }

  private:
    std::optional<Error> lost_;
};

}  // namespace studio::engine
