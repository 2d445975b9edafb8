// GPT-2's alphabet: every byte is written as one printable character, so that vocabularies are readable text.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace studio::text {

// Bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for themselves, the other 68 are U+0100, U+0101, … in order
// (bytes_to_unicode of OpenAI's encoder.py).
class ByteAlphabet {
  public:
    ByteAlphabet();

    // The bytes of a spelling; nothing if a character is not of the alphabet.
    std::optional<std::string> toBytes(std::string_view spelling) const;
    std::string spell(std::string_view bytes) const;

  private:
    std::array<char32_t, 256> char_of_byte_{};
    std::unordered_map<char32_t, char> byte_of_char_;
};

}  // namespace studio::text
