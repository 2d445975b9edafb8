// libFuzzer: any bytes as a tokenizer's files. The first byte says which files the rest is, which lines of "%%" part.
// What is accepted encodes and decodes without harm; a byte-level BPE gives every text back.
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include "text/tokenizer.h"

using namespace studio::text;

namespace {

void holds(bool condition) {
    if (!condition) std::abort();  // what the fuzzer looks for
}

const std::filesystem::path& folder() {
    static const std::filesystem::path path = [] {
        auto made = std::filesystem::temp_directory_path() / ("fuzz-bpe-files-" + std::to_string(getpid()));
        std::filesystem::create_directories(made);
        return made;
    }();
    return path;
}

constexpr std::array<const char*, 4> kThreeFiles = {"vocab.json", "merges.txt", "added_tokens.json",
                                                    "tokenizer_config.json"};
constexpr std::array<const char*, 4> kOneFile = {"tokenizer.json", "special_tokens_map.json", "config.json", nullptr};
constexpr std::array<const char*, 4> kModel = {"tokenizer.model", nullptr, nullptr, nullptr};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder())) std::filesystem::remove(entry);
    const auto& files = data[0] == 'm' ? kModel : data[0] == 'j' ? kOneFile : kThreeFiles;
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    for (const char* file : files) {
        if (file == nullptr) break;
        const bool last = files[1] == nullptr;  // a model may hold the separator
        const std::size_t end = last ? rest.size() : std::min(rest.find("\n%%\n"), rest.size());
        std::ofstream(folder() / file, std::ios::binary) << rest.substr(0, end);
        if (end == rest.size()) break;
        rest.remove_prefix(end + 4);
    }
    const auto tokenizer = loadTokenizer(folder());
    if (!tokenizer) {
        holds(tokenizer.error().message.ends_with('.') && !tokenizer.error().hint.empty());
        return 0;
    }
    for (const std::string_view text : {"", "hello hello  \t\t x", "\xFF\xE2\x96\x81 日本語<|endoftext|></s>"}) {
        const std::vector<int> ids = (*tokenizer)->encode(text);
        for (const int id : ids) holds(id >= 0 && id < (*tokenizer)->size());
        const std::string back = (*tokenizer)->decode(ids);
        holds(data[0] == 'm' || back == text);
    }
    return 0;
}
