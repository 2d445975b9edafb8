// Regular expressions of users over texts of strangers: PCRE2 with limits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/result.h"

namespace studio::corpus {

struct RegexError {
    std::size_t offset = 0;  // bytes into the pattern
    std::string message;     // PCRE2's words
};

// Immutable; match() may be called from several threads.
class Regex {
  public:
    enum class Kind { Pattern, Literal };
    static tl::expected<Regex, RegexError> compile(std::string_view pattern, Kind kind, bool caseless);

    enum class Match { No, Yes, LimitReached };
    // Whether it matches anywhere in `text` (UTF-8, may contain NUL; ill-formed parts match nothing). LimitReached
    // after about a million steps of backtracking: some expressions, (a+)+$ for one, take exponential time on some
    // texts.
    Match match(std::string_view text) const;

  private:
    struct Compiled;
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace studio::corpus
