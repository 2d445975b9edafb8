#include "corpus/filter_conditions.h"

namespace studio::corpus {
namespace {

bool isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool endsWord(char c) {
    return isSpace(c) || c == '(' || c == ')' || c == '"';
}

bool isNamePart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '+' || c == '-';
}

}  // namespace

void FilterScanner::skipSpace() {
    while (!atEnd() && isSpace(text_[at_])) ++at_;
}

bool FilterScanner::take(char c) {
    if (atEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
}

bool FilterScanner::takeNegation() {
    const bool negation = peek() == '-' || peek() == '!';
    if (!negation || at_ + 1 == text_.size() || isSpace(text_[at_ + 1])) return false;
    ++at_;
    return true;
}

bool FilterScanner::atKeyword(std::string_view word) {
    skipSpace();
    if (!text_.substr(at_).starts_with(word)) return false;
    const std::size_t end = at_ + word.size();
    return end == text_.size() || endsWord(text_[end]);
}

bool FilterScanner::takeKeyword(std::string_view word) {
    if (!atKeyword(word)) return false;
    at_ += word.size();
    return true;
}

bool FilterScanner::atClose() {
    skipSpace();
    return atEnd() || peek() == ')';
}

std::string_view FilterScanner::takeName() {
    const std::size_t begin = at_;
    while (!atEnd() && isNamePart(text_[at_])) ++at_;
    return from(begin);
}

std::optional<Comparison> FilterScanner::takeOperator() {
    if (take(':')) return Comparison::Equal;
    if (take('=')) {
        take('=');
        return Comparison::Equal;
    }
    if (take('<')) return take('=') ? Comparison::LessEqual : Comparison::Less;
    if (take('>')) return take('=') ? Comparison::GreaterEqual : Comparison::Greater;
    if (peek() == '!' && at_ + 1 < text_.size() && text_[at_ + 1] == '=') {
        at_ += 2;
        return Comparison::NotEqual;
    }
    return std::nullopt;
}

std::string_view FilterScanner::takeWord() {
    const std::size_t begin = at_;
    while (!atEnd() && !endsWord(text_[at_])) ++at_;
    return from(begin);
}

tl::expected<std::string, FilterError> FilterScanner::takeQuoted(char quote) {
    const std::size_t begin = at_++;
    std::string out;
    for (; !atEnd(); ++at_) {
        const char c = text_[at_];
        if (c == quote) {
            ++at_;
            return out;
        }
        const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (c == '\\' && quote == '/' && next == '\\') {
            out += c;  // the pattern needs both
            ++at_;
        } else if (c == '\\' && (next == quote || (quote == '"' && next == '\\'))) {
            ++at_;
        }
        out += text_[at_];
    }
    if (quote == '/') return fail(begin, at_, "This regular expression has no end.", "Close it with a slash: re:/…/");
    return fail(begin, at_, "This quotation has no end.", "Close it with a quotation mark.");
}

}  // namespace studio::corpus
