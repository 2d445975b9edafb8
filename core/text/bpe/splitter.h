// GPT-2's pre-tokenizer: cuts text into the words inside which byte pairs may merge.
#pragma once

#include <string_view>

#include "text/unicode/char_class.h"
#include "text/utf8.h"

namespace studio::text {

// Finds the words of the pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// one after another, without a regular expression engine. A byte that is not part of valid UTF-8 is a word of its own.
class WordSplitter {
  public:
    WordSplitter(const CharClasses& classes, std::string_view text)
        : classes_(classes), at_(text.data()), end_(text.data() + text.size()) {}

    bool done() const { return at_ == end_; }

    // The next word, never empty. Only while not done().
    std::string_view next() {
        const char* const begin = at_;
        at_ += wordLength();
        return {begin, static_cast<std::size_t>(at_ - begin)};
    }

  private:
    // Ill-formed bytes belong to no class, so that they end every run.
    enum class Kind : std::uint8_t { Other, Letter, Number, Space, IllFormed };
    struct Char {
        Kind kind;
        int length;
    };

    Char charAt(const char* at) const {
        const auto byte = static_cast<std::uint8_t>(*at);
        if (byte < 0x80) return {static_cast<Kind>(classes_.of(byte)), 1};
        const CodePoint point = firstCodePoint({at, static_cast<std::size_t>(end_ - at)});
        if (!point.valid) return {Kind::IllFormed, 1};
        return {static_cast<Kind>(classes_.of(point.value)), point.length};
    }

    const char* endOfRun(const char* at, Kind kind) const {
        while (at != end_) {
            const Char next = charAt(at);
            if (next.kind != kind) break;
            at += next.length;
        }
        return at;
    }

    std::size_t wordLength() const {
        if (*at_ == '\'')
            if (const int length = contractionLength()) return length;
        const char* const first = *at_ == ' ' && at_ + 1 != end_ ? at_ + 1 : at_;  // behind " ?"
        const Char head = charAt(first);
        if (head.kind == Kind::IllFormed) return 1;  // the byte itself or the space before it
        if (head.kind != Kind::Space) return endOfRun(first + head.length, head.kind) - at_;
        return whitespaceLength();
    }

    // \s+(?!\S)|\s+ : a run gives its last character to what follows, unless it is the only one.
    std::size_t whitespaceLength() const {
        const char* at = at_;
        const char* last = at_;
        while (at != end_) {
            const Char next = charAt(at);
            if (next.kind != Kind::Space) break;
            last = at;
            at += next.length;
        }
        return (at == end_ || last == at_ ? at : last) - at_;
    }

    int contractionLength() const {
        const auto left = end_ - at_;
        if (left < 2) return 0;
        const char a = at_[1];
        if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
        if (left < 3) return 0;
        const char b = at_[2];
        return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
    }

    const CharClasses& classes_;
    const char* at_;
    const char* end_;
};

}  // namespace studio::text
