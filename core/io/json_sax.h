// What the event parsers of this room share: an input that knows where it is, and the place of an error in words.
#pragma once

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace studio::io {

// A text whose iterators count what was read of it. The parser copies iterators, so the count lives here.
class SaxInput {
  public:
    explicit SaxInput(std::string_view text) : text_(text) {}

    class Iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = char;
        using difference_type = std::ptrdiff_t;
        using pointer = const char*;
        using reference = const char&;
        Iterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
        reference operator*() const { return *at_; }
        Iterator& operator++() {
            ++at_;
            ++*count_;
            return *this;
        }
        Iterator operator++(int) {
            Iterator old = *this;
            ++*this;
            return old;
        }
        bool operator==(const Iterator& other) const { return at_ == other.at_; }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

      private:
        const char* at_;
        std::size_t* count_;
    };
    Iterator begin() { return {text_.data(), &read_}; }
    Iterator end() { return {text_.data() + text_.size(), &read_}; }

    std::size_t position() const { return read_; }  // bytes read so far
    // Of the string whose closing quote was read last.
    std::size_t startOfString() const;

  private:
    std::string_view text_;
    std::size_t read_ = 0;
};

// "line 3, column 7" of byte `position`; columns count characters.
std::string placeInText(std::string_view text, std::size_t position);

// The reason inside one of the parser's messages, without its prefixes and the position.
std::string plainReason(std::string_view what);

}  // namespace studio::io
