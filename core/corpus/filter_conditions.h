// The words of the filter language and the conditions they make.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "corpus/filter.h"
#include "corpus/filter_expression.h"

namespace studio::corpus {

// A place in the filter's text.
class FilterScanner {
  public:
    explicit FilterScanner(std::string_view text) : text_(text) {}

    std::size_t position() const { return at_; }
    bool atEnd() const { return at_ == text_.size(); }
    char peek() const { return atEnd() ? '\0' : text_[at_]; }
    std::string_view from(std::size_t begin) const { return text_.substr(begin, at_ - begin); }

    void skipSpace();
    bool take(char c);
    bool takeNegation();                    // "-" or "!" in front of something
    bool atKeyword(std::string_view word);  // skips the space before it
    bool takeKeyword(std::string_view word);
    bool atClose();               // end or ")"; skips the space before it
    std::string_view takeName();  // letters, digits, _ . + -; may be empty
    std::optional<Comparison> takeOperator();
    std::string_view takeWord();  // up to space, parenthesis or quote
    // The text between two `quote`s, the first of which is next. A backslash makes the next quote or backslash
    // ordinary; in a pattern (quote '/') all other backslashes stay.
    tl::expected<std::string, FilterError> takeQuoted(char quote);
    void rewind(std::size_t position) { at_ = position; }

    static tl::unexpected<FilterError> fail(std::size_t begin, std::size_t end, std::string message, std::string hint) {
        return tl::unexpected(FilterError{begin, end, std::move(message), std::move(hint)});
    }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

tl::expected<Condition, FilterError> readCondition(FilterScanner& scanner);

}  // namespace studio::corpus
