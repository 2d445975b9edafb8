// Writes protocol buffers by hand, right ones and wrong ones.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace studio::test {

inline std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    return out + static_cast<char>(value);
}

inline std::string number(std::uint32_t field, std::uint64_t value) {
    return varint(field << 3) + varint(value);
}

inline std::string bytes(std::uint32_t field, std::string_view value) {
    return varint(field << 3 | 2) + varint(value.size()) + std::string(value);
}

inline std::string littleEndian(std::uint32_t value) {
    std::string out;
    for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> 8 * i);
    return out;
}

inline std::string real(std::uint32_t field, float value) {
    return varint(field << 3 | 5) + littleEndian(std::bit_cast<std::uint32_t>(value));
}

// Types as in sentencepiece_model.proto: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
inline std::string piece(std::string_view text, float score = 0, std::uint64_t type = 1) {
    return bytes(1, bytes(1, text) + real(2, score) + (type == 1 ? "" : number(3, type)));
}

}  // namespace studio::test
