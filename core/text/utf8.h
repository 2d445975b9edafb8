// UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace studio::text {

// What stands at the start of some bytes. `length` is never 0.
struct CodePoint {
    char32_t value = 0;
    int length = 1;        // bytes; of an ill-formed sequence the part that a decoder replaces by one U+FFFD
    bool valid = false;    // a whole character
    bool cut_off = false;  // not valid, but would still become a character with the right bytes behind it
};

// `bytes` must not be empty. Ill-formed sequences are cut as Unicode 16 §3.9 recommends ("maximal subpart").
inline CodePoint firstCodePoint(std::string_view bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return {lead, 1, true, false};
    if (lead < 0xC2 || lead > 0xF4) return {};
    const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    // The second byte carries what rules out overlong forms, surrogates and too large values.
    std::uint8_t low = 0x80, high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    char32_t value = lead & (0x7F >> length);
    for (int i = 1; i < length; ++i) {
        if (static_cast<std::size_t>(i) == bytes.size()) return {0, i, false, true};
        if (byte(i) < low || byte(i) > high) return {0, i, false, false};
        value = value << 6 | (byte(i) & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    return {value, length, true, false};
}

// Bytes from the start of `bytes` that are valid UTF-8.
std::size_t validPrefix(std::string_view bytes);

void appendUtf8(char32_t value, std::string& out);

}  // namespace studio::text
