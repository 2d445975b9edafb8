#include "corpus/json_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "corpus/link.h"
#include "text/utf8.h"

namespace studio::corpus {
namespace {

// A reply nests an array and an object inside its parent; a little more for what stands in the deepest message.
constexpr std::size_t kMaxNesting = 2 * kMaxDepth + 16;

bool isNumberPart(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
           c == '.';
}

// Digits as JSON writes them: [-] int [frac] [exp].
bool isJsonNumber(std::string_view token) {
    std::size_t i = token.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
        const std::size_t start = i;
        while (i < token.size() && token[i] >= '0' && token[i] <= '9') ++i;
        return i - start;
    };
    const bool zero = i < token.size() && token[i] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (i < token.size() && token[i] == '.') {
        ++i;
        if (digits() == 0) return false;
    }
    if (i < token.size() && (token[i] == 'e' || token[i] == 'E')) {
        ++i;
        if (i < token.size() && (token[i] == '+' || token[i] == '-')) ++i;
        if (digits() == 0) return false;
    }
    return i == token.size();
}

bool isImpossibleNumber(std::string_view token) {
    if (token == "NaN" || token == "Infinity" || token == "-Infinity") return true;
    if (!isJsonNumber(token)) return false;
    if (token.find_first_of(".eE") == std::string_view::npos) {
        std::int64_t integer = 0;
        std::uint64_t natural = 0;
        const char* end = token.data() + token.size();
        return std::from_chars(token.data(), end, integer).ec != std::errc{} &&
               std::from_chars(token.data(), end, natural).ec != std::errc{};
    }
    if (token.find("e-") != std::string_view::npos || token.find("E-") != std::string_view::npos) return false;
    double value = 0;  // only too large is left; too small is 0 and no trouble
    return std::from_chars(token.data(), token.data() + token.size(), value).ec == std::errc::result_out_of_range;
}

int hexValue(std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return error == std::errc{} && end == digits.data() + digits.size() ? value : -1;
}

// Where a \uD800…\uDFFF stands that is not one of a pair; npos if nowhere.
std::size_t findLoneSurrogate(std::string_view line) {
    const auto unit = [&](std::size_t at) {
        const bool escape = at + 6 <= line.size() && line[at] == '\\' && line[at + 1] == 'u';
        return escape ? hexValue(line.substr(at + 2, 4)) : -1;
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\') continue;
        const int value = unit(i);
        if (value >= 0xD800 && value <= 0xDBFF) {
            const int next = unit(i + 6);
            if (next < 0xDC00 || next > 0xDFFF) return i;
            i += 11;
        } else if (value >= 0xDC00 && value <= 0xDFFF) {
            return i;
        } else {
            ++i;  // whatever is escaped
        }
    }
    return std::string_view::npos;
}

}  // namespace

std::string quoteImpossibleNumbers(std::string_view line) {
    std::string out;
    std::size_t copied = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (in_string) {
            if (line[i] == '\\')
                ++i;
            else if (line[i] == '"')
                in_string = false;
            continue;
        }
        if (line[i] == '"') in_string = true;
        if (!isNumberPart(line[i])) continue;
        std::size_t end = i + 1;
        while (end < line.size() && isNumberPart(line[end])) ++end;
        const std::string_view token = line.substr(i, end - i);
        if (isImpossibleNumber(token)) {
            out.append(line.substr(copied, i - copied)).append("\"").append(token).append("\"");
            copied = end;
        }
        i = end - 1;
    }
    if (copied > 0) out.append(line.substr(copied));
    return out;
}

JsonLineParser::JsonLineParser() {
    ready_ = parser_.allocate(1u << 20, kMaxNesting) == simdjson::SUCCESS;
}

std::string JsonLineParser::describe(simdjson::error_code code, std::string_view line, std::uint64_t offset) const {
    switch (code) {
        case simdjson::UTF8_ERROR:
            return fmt::format("It is not UTF-8: byte {} of the file is wrong.", offset + text::validPrefix(line));
        case simdjson::STRING_ERROR:
            if (const std::size_t at = findLoneSurrogate(line); at != std::string_view::npos) {
                return fmt::format("It holds the lone surrogate {} at byte {} of the file, which is no character.",
                                   line.substr(at, 6), offset + at);
            }
            return "It is not JSON: a string has a wrong escape sequence.";
        case simdjson::UNESCAPED_CHARS:
            return "It is not JSON: a string holds a control character that is not escaped.";
        case simdjson::UNCLOSED_STRING:
            return "It is not JSON: a string has no end.";
        case simdjson::NUMBER_ERROR:
            return "It is not JSON: a number is written wrongly.";
        case simdjson::DEPTH_ERROR:
            return fmt::format("It is nested too deep: a conversation may be {} messages deep.", kMaxDepth);
        case simdjson::CAPACITY:
        case simdjson::MEMALLOC:
            return "There is not enough memory to read it.";
        default:
            return "It is not JSON: its brackets, commas and values do not fit together.";
    }
}

const char* JsonLineParser::duplicateKey(JsonElement root) {
    containers_.assign(1, root);
    while (!containers_.empty()) {
        const JsonElement container = containers_.back();
        containers_.pop_back();
        const auto look = [this](JsonElement child) {
            if (child.is_object() || child.is_array()) containers_.push_back(child);
        };
        JsonObject object;
        simdjson::dom::array array;
        if (container.get(array) == simdjson::SUCCESS) {
            for (const JsonElement child : array) look(child);
            continue;
        }
        if (container.get(object) != simdjson::SUCCESS) continue;
        keys_.clear();
        for (const auto [key, child] : object) {
            keys_.push_back(key);
            look(child);
        }
        std::sort(keys_.begin(), keys_.end());
        const auto twice = std::adjacent_find(keys_.begin(), keys_.end());
        if (twice == keys_.end()) continue;
        repeated_ = *twice;
        return repeated_.c_str();
    }
    return nullptr;
}

tl::expected<JsonObject, std::string> JsonLineParser::parse(std::string_view line, std::uint64_t offset) {
    if (!ready_) return tl::unexpected(describe(simdjson::MEMALLOC, line, offset));
    JsonElement root;
    simdjson::error_code code = parser_.parse(line.data(), line.size(), true).get(root);
    if (code != simdjson::SUCCESS && code != simdjson::UTF8_ERROR && code != simdjson::DEPTH_ERROR) {
        const std::string repaired = quoteImpossibleNumbers(line);
        if (!repaired.empty()) code = parser_.parse(repaired.data(), repaired.size(), true).get(root);
    }
    if (code != simdjson::SUCCESS) return tl::unexpected(describe(code, line, offset));
    JsonObject object;
    if (root.get(object) != simdjson::SUCCESS) {
        return tl::unexpected<std::string>(root.is_array() ? "It is a JSON array; one object is expected on each line."
                                                           : "It is a single value; one JSON object is expected.");
    }
    if (const char* key = duplicateKey(root)) {
        return tl::unexpected(
            fmt::format("It has the key \"{}\" twice in one object.", std::string_view(key).substr(0, 80)));
    }
    return object;
}

}  // namespace studio::corpus
