// Regular expressions on module names, as Python's re matches them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace studio::config {

// A compiled expression (PCRE2, Unicode). Matching is bounded: an expression that needs too long is an error, never a
// hang. Not for several threads at once.
class Expression {
  public:
    static Result<Expression> compile(std::string_view pattern);

    // re.fullmatch(pattern, text)
    Result<bool> matchesWhole(std::string_view text) const;

    // The group `idx` of re.match(pattern, text); empty where there is no match or no such group.
    Result<std::string> indexIn(std::string_view text) const;

  private:
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace studio::config
