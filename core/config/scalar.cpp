#include "config/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace studio::config {
namespace {

// Without a plus sign; "+-1" keeps it, and is no number.
std::string_view withoutPlus(std::string_view text) {
    return text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
}

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

// YAML 1.1 reads 010 as eight, YAML 1.2 as ten: whoever wrote it should say which.
bool leadingZero(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    return text.size() > 1 && text[0] == '0' && isDigit(text[1]);
}

tl::unexpected<Error> octal(std::string_view text) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("has {}, whose leading zero some readers take for octal.", text),
                "Write the number without the leading zero.");
}

// Decimal digits of the shortest text and the exponent of the first: value = 0.d1d2d3… × 10^point.
struct Shortest {
    std::string digits;
    int point = 0;
    bool negative = false;
};

Shortest shortest(double value) {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
    std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    Shortest out;
    if (text[0] == '-') {
        out.negative = true;
        text.remove_prefix(1);
    }
    const std::size_t e = text.find('e');
    for (char c : text.substr(0, e))
        if (c != '.') out.digits += c;
    std::string_view exponent = text.substr(e + 1);
    if (exponent[0] == '+') exponent.remove_prefix(1);
    int power = 0;
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    out.point = power + 1;
    return out;
}

// Fixed notation where the first digit stands between 10^low and 10^16, else scientific.
std::string format(double value, int low, bool mantissa_point, int exponent_digits) {
    if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
    if (!std::isfinite(value)) return std::isnan(value) ? ".nan" : value < 0 ? "-.inf" : ".inf";
    const Shortest s = shortest(value);
    const std::string_view digits = s.digits;
    const char* const sign = s.negative ? "-" : "";
    const int count = static_cast<int>(digits.size());
    if (s.point > 16 || s.point <= low) {
        const char* const point = count > 1 ? "." : mantissa_point ? ".0" : "";
        return fmt::format("{}{}{}{}e{:+0{}}", sign, digits[0], point, digits.substr(1), s.point - 1,
                           exponent_digits + 1);
    }
    if (s.point <= 0) return fmt::format("{}0.{:0>{}}", sign, digits, count - s.point);
    if (count <= s.point) return fmt::format("{}{:0<{}}.0", sign, digits, s.point);
    const auto whole = static_cast<std::size_t>(s.point);
    return fmt::format("{}{}.{}", sign, digits.substr(0, whole), digits.substr(whole));
}

// Of one character in valid UTF-8.
std::uint32_t codePoint(std::string_view character) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i]));
    };
    if (character.size() == 1) return byte(0);
    std::uint32_t point = byte(0) & (0x7Fu >> character.size());
    for (std::size_t i = 1; i < character.size(); ++i) point = point << 6 | (byte(i) & 0x3Fu);
    return point;
}

// Not what YAML readers take for a line break, a byte order mark or a control character.
bool isPrintable(std::uint32_t point) {
    return point >= 0xA0 && point != 0x2028 && point != 0x2029 && point != 0xFEFF && (point & 0xFFFE) != 0xFFFE;
}

std::string escaped(std::uint32_t point) {
    if (point < 0x10000) return fmt::format("\\u{:04x}", point);
    return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + (point & 0x3FF));
}

}  // namespace

Result<std::int64_t> parseInteger(std::string_view text) {
    if (leadingZero(text)) return octal(text);
    const std::string_view digits = withoutPlus(text);
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = end == digits.data() + digits.size() && !digits.empty();
    if (whole && code == std::errc::result_out_of_range)
        return fail(ErrorCode::OutOfRange, fmt::format("has {}, which is too large a number.", text),
                    "Write a smaller number.");
    if (whole && code == std::errc()) return value;
    std::string hint = "Write a whole number in plain digits.";
    if (auto real = parseReal(text); real && *real == std::floor(*real) && std::abs(*real) < 1e15)
        hint = fmt::format("Write {} in plain digits.", static_cast<std::int64_t>(*real));
    return fail(ErrorCode::InvalidArgument, fmt::format("needs a whole number, and {} is none.", text), hint);
}

Result<double> parseReal(std::string_view text) {
    if (leadingZero(text) && text.find_first_of(".eE") == text.npos) return octal(text);
    const std::string_view digits = withoutPlus(text);
    double value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = end == digits.data() + digits.size() && !digits.empty();
    if (whole && code == std::errc::result_out_of_range)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("has {}, which is too large or too close to zero for a number.", text),
                    "Write a number that fits.");
    if (whole && code == std::errc()) {
        if (std::isfinite(value)) return value;
        return fail(ErrorCode::InvalidArgument, fmt::format("needs a finite number, and {} is none.", text),
                    "Write a finite number.");
    }
    const std::string small = lower(text);
    if (small == ".nan" || small == ".inf" || small == "-.inf" || small == "+.inf")
        return fail(ErrorCode::InvalidArgument, fmt::format("needs a finite number, and {} is none.", text),
                    "Write a finite number.");
    std::string hint = "Write a number such as 0.05 or 2.0e-4.";
    if (std::count(text.begin(), text.end(), ',') == 1 && text.find('.') == text.npos) {
        std::string point(text);
        std::replace(point.begin(), point.end(), ',', '.');
        if (parseReal(point)) hint = fmt::format("Decimals have a point: write {}.", point);
    }
    return fail(ErrorCode::InvalidArgument, fmt::format("needs a number, and {} is none.", text), hint);
}

Result<bool> parseBool(std::string_view text) {
    const std::string word = lower(text);
    if (word == "true" || word == "yes" || word == "on") return true;
    if (word == "false" || word == "no" || word == "off") return false;
    return fail(ErrorCode::InvalidArgument, fmt::format("needs true or false, and {} is neither.", text),
                "Write true or false.");
}

bool looksTyped(std::string_view text) {
    const std::string word = lower(text);
    for (const char* known : {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"})
        if (word == known) return true;
    const bool sign = text[0] == '+' || text[0] == '-' || text[0] == '.';
    return isDigit(text[0]) || (sign && text.size() > 1 && (isDigit(text[1]) || text[1] == '.'));
}

std::string formatReal(double value) {
    return format(value, -3, true, 1);
}

std::string formatNumber(double value) {
    std::string text = formatReal(value);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text == "-0" ? "0" : text;
}

std::string formatPython(double value) {
    return format(value, -4, false, 2);
}

std::string quote(std::string_view text, bool ascii) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned char c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\b') {
            out += "\\b";
        } else if (c == '\f') {
            out += "\\f";
        } else if (c < 0x20) {
            out += escaped(c);
        } else if (c < 0x7f) {
            out += static_cast<char>(c);
        } else {
            const std::string_view character = text.substr(i, c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2);
            const std::uint32_t point = codePoint(character);
            out += ascii || !isPrintable(point) ? escaped(point) : std::string(character);
            i += character.size() - 1;
        }
    }
    return out + '"';
}

std::string yamlText(std::string_view text) {
    const bool plain =
        !looksTyped(text) && text[0] != '-' && text[0] != '+' && std::all_of(text.begin(), text.end(), [](char c) {
            return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '/' ||
                   c == '+' || c == '-';
        });
    return plain ? std::string(text) : quote(text);
}

}  // namespace studio::config
