// The files of a very small byte-level BPE, one token a line, to be broken one at a time.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/json.h"
#include "support/expect.h"
#include "text/bpe/byte_alphabet.h"

namespace studio::test {

struct TinyBpe {
    // The token with the id i stands in line i + 2 of vocab.json; 0 to 255 are the bytes.
    std::vector<std::pair<std::string, std::string>> vocabulary;                   // spelling and id, both as JSON
    std::string merges = "#version: 0.2\nh e\nl l\nhe ll\nhell o\n\xC4\xA0 he\n";  // Ġ he

    TinyBpe() {
        const text::ByteAlphabet alphabet;
        for (int byte = 0; byte < 256; ++byte) add(alphabet.spell(std::string(1, static_cast<char>(byte))));
        for (const char* token : {"he", "ll", "hell", "hello", "\u0120he", "<|endoftext|>"}) add(token);
    }

    void add(const std::string& spelling) {
        vocabulary.emplace_back(io::Json(spelling).dump(), std::to_string(vocabulary.size()));
    }

    std::string vocabularyText() const {
        std::string text = "{\n";
        for (std::size_t i = 0; i < vocabulary.size(); ++i)
            text += vocabulary[i].first + ": " + vocabulary[i].second + (i + 1 < vocabulary.size() ? ",\n" : "\n");
        return text + "}\n";
    }

    void write(const std::filesystem::path& folder) const {
        put(folder / "vocab.json", vocabularyText());
        put(folder / "merges.txt", merges);
    }

    static constexpr int kHello = 259, kEos = 261;
};

}  // namespace studio::test
