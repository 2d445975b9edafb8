// Standard input that a signal can interrupt.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace studio::cli {

class Input {
  public:
    explicit Input(std::stop_token stop) : stop_(std::move(stop)) {}

    // The next line without its newline; nothing at the end. Cancelled once stop is requested.
    Result<std::optional<std::string>> line();
    // Everything up to the end.
    Result<std::string> all();

  private:
    Result<bool> more();  // false at the end

    std::stop_token stop_;
    std::string buffer_;
};

}  // namespace studio::cli
