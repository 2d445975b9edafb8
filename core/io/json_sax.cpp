#include "io/json_sax.h"

#include <fmt/format.h>

#include <algorithm>

namespace studio::io {

std::size_t SaxInput::startOfString() const {
    if (read_ < 2) return 0;
    for (std::size_t at = read_ - 1; at-- > 0;) {
        if (text_[at] != '"') continue;
        std::size_t slashes = 0;
        while (slashes < at && text_[at - 1 - slashes] == '\\') ++slashes;
        if (slashes % 2 == 0) return at;
    }
    return 0;
}

std::string placeInText(std::string_view text, std::size_t position) {
    const std::string_view before = text.substr(0, std::min(position, text.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    const std::string_view row = before.substr(start);
    const auto column = 1 + std::count_if(row.begin(), row.end(),
                                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    return fmt::format("line {}, column {}", line, column);
}

std::string plainReason(std::string_view what) {
    if (const auto at = what.find("] "); at != what.npos) what.remove_prefix(at + 2);
    if (what.starts_with("parse error"))
        if (const auto at = what.find(": "); at != what.npos) what.remove_prefix(at + 2);
    while (!what.empty() && (what.back() == '.' || what.back() == ' ')) what.remove_suffix(1);
    return std::string(what);
}

}  // namespace studio::io
