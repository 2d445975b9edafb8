// One line of JSON Lines, parsed strictly.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace studio::corpus {

using JsonObject = simdjson::dom::object;
using JsonElement = simdjson::dom::element;

class JsonLineParser {
  public:
    JsonLineParser();

    // The line's object, valid until the next call; or a sentence saying why the line is rejected: not JSON, not an
    // object, not UTF-8, a lone surrogate, a key twice in one object, nested too deep. `offset` is that of the line in
    // its file; places are given as bytes of the file.
    // Numbers that JSON or 64 bits cannot hold (NaN, 1e999) become strings, so that they cost their field, not the
    // line.
    tl::expected<JsonObject, std::string> parse(std::string_view line, std::uint64_t offset);

  private:
    std::string describe(simdjson::error_code code, std::string_view line, std::uint64_t offset) const;
    const char* duplicateKey(JsonElement root);  // null: none

    simdjson::dom::parser parser_;
    bool ready_ = false;
    std::vector<JsonElement> containers_;  // still to be looked into
    std::vector<std::string_view> keys_;
    std::string repeated_;
};

// Every NaN, Infinity and number beyond a double's range outside strings put in quotes; the empty string where there is
// none.
std::string quoteImpossibleNumbers(std::string_view line);

}  // namespace studio::corpus
