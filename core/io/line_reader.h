// Lines of a text file or of its gzip, streamed: memory is bounded by the longest allowed line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace studio::io {

struct Line {
    std::string_view text;      // without "\n" or "\r\n"; valid until the next call
    std::uint64_t number = 0;   // from 1
    std::uint64_t offset = 0;   // of its first byte in the expanded text
    bool too_long = false;      // longer than max_line; `text` is empty, the line was skipped to its end
    bool unterminated = false;  // the last line, without a newline
};

struct LineReaderOptions {
    std::uint64_t max_line = 16u << 20;
    std::uint64_t max_expanded = 16ull << 30;  // of a gzip; beyond it next() is an error
    bool growing = false;  // another process is appending: what was there when the end was reached is taken as it is
};

// Recognises gzip by its first bytes (all members are read). A UTF-8 byte order mark at the start is skipped; a UTF-16
// one is an error.
class LineReader {
  public:
    static Result<LineReader> open(const std::filesystem::path& path, LineReaderOptions options = {});
    ~LineReader();
    LineReader(LineReader&&) noexcept;
    LineReader& operator=(LineReader&&) noexcept;

    // The next line, nothing at the end. A gzip that breaks off is an error of code Corrupt (its message has the byte).
    Result<std::optional<Line>> next();

    std::uint64_t bytesRead() const;  // of the file on disk, for progress
    std::uint64_t fileSize() const;

  private:
    struct State;
    explicit LineReader(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

}  // namespace studio::io
