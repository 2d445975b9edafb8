// Whether the engine's accelerator can still be used. One for an engine and everything that it has loaded; may be asked
// from any thread.
#pragma once

#include <mutex>
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
            if (auto before = lost()) return fail(std::move(*before));
            auto result = engine::guarded(doing, std::forward<Body>(body));
            if (!result && result.error().code == ErrorCode::DeviceLost) note(result.error());
            return result;
        });
    }

  private:
    std::optional<Error> lost() const {
        const std::lock_guard lock(mutex_);
        return lost_;
    }
    void note(const Error& error) {
        const std::lock_guard lock(mutex_);
        if (!lost_) lost_ = error;
    }

    mutable std::mutex mutex_;
    std::optional<Error> lost_;
};

}  // namespace studio::engine
