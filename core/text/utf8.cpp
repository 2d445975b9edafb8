#include "text/utf8.h"

namespace studio::text {

std::size_t validPrefix(std::string_view bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        if (static_cast<std::uint8_t>(bytes[done]) < 0x80) {
            ++done;
            continue;
        }
        const CodePoint next = firstCodePoint(bytes.substr(done));
        if (!next.valid) break;
        done += next.length;
    }
    return done;
}

void appendUtf8(char32_t value, std::string& out) {
    if (value < 0x80) {
        out += static_cast<char>(value);
        return;
    }
    const int length = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    constexpr std::uint8_t kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(kLead[length] | value >> 6 * (length - 1));
    for (int i = length - 2; i >= 0; --i) out += static_cast<char>(0x80 | (value >> 6 * i & 0x3F));
}

}  // namespace studio::text
