#include "text/bpe/byte_alphabet.h"

#include "text/utf8.h"

namespace studio::text {

ByteAlphabet::ByteAlphabet() {
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
        const bool itself = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
        char_of_byte_[byte] = itself ? static_cast<char32_t>(byte) : next++;
        byte_of_char_[char_of_byte_[byte]] = static_cast<char>(byte);
    }
}

std::optional<std::string> ByteAlphabet::toBytes(std::string_view spelling) const {
    std::string bytes;
    while (!spelling.empty()) {
        const CodePoint next = firstCodePoint(spelling);
        const auto byte = byte_of_char_.find(next.value);
        if (!next.valid || byte == byte_of_char_.end()) return std::nullopt;
        bytes += byte->second;
        spelling.remove_prefix(next.length);
    }
    return bytes;
}

std::string ByteAlphabet::spell(std::string_view bytes) const {
    std::string out;
    for (const char byte : bytes) appendUtf8(char_of_byte_[static_cast<unsigned char>(byte)], out);
    return out;
}

}  // namespace studio::text
