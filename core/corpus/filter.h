// The filter language: what a person types to choose messages.
//
//   lang:en role:assistant quality>=0.5 -deleted (turns>=4 OR review:accepted) "exact phrase" word* re:/…/i
//
// Conditions that stand side by side must all hold. An absent value fulfils no comparison. docs/filter.md has the
// whole.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/result.h"

namespace studio::corpus {

struct Expression;  // corpus/filter_expression.h

// Bytes [begin, end) of the filter's text, what is wrong there and what would be right.
struct FilterError {
    std::size_t begin = 0, end = 0;
    std::string message, hint;

    // For where there is no text field to underline: the message with the place in words.
    Error error() const;
};

// A parsed filter; a value, cheap to copy.
class Filter {
  public:
    Filter() = default;  // matches everything, as the empty text does
    static tl::expected<Filter, FilterError> parse(std::string_view text);

    const std::string& text() const { return text_; }
    bool matchesEverything() const { return !root_; }
    // Whether a condition on this field ("deleted", "orphan") occurs anywhere.
    bool mentions(std::string_view field) const;
    const Expression* root() const { return root_.get(); }

  private:
    std::string text_;
    std::shared_ptr<const Expression> root_;
};

// parse() with its error as everybody else's.
Result<Filter> parseFilter(std::string_view text);

// The filter as an English sentence: "Messages in English whose quality is at least 0.5".
std::string describe(const Filter& filter);

}  // namespace studio::corpus
