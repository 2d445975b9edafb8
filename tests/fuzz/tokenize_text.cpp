// libFuzzer: any bytes as text. Every tokenizer gives them back, a message has no special token, a stream is valid
// UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/tokenizer.h"
#include "text/utf8.h"

using namespace studio::text;

namespace {

void holds(bool condition) {
    if (!condition) std::abort();  // what the fuzzer looks for
}

std::shared_ptr<const Tokenizer> load(const char* folder) {
    auto loaded = loadTokenizer(std::filesystem::path(STUDIO_SOURCE_DIR) / folder);
    holds(loaded.has_value());
    return *loaded;
}

void check(const Tokenizer& tokenizer, std::string_view text) {
    std::vector<int> ids = tokenizer.encode(text);
    holds(tokenizer.decode(ids) == text);
    StreamDecoder decoder(tokenizer);
    for (const int id : ids) {
        holds(id >= 0 && id < tokenizer.size() && !tokenizer.isSpecial(id));
        const std::string part = decoder.push(id);
        holds(validPrefix(part) == part.size());
    }
    const std::string rest = decoder.finish();
    holds(validPrefix(rest) == rest.size());
    ids.clear();
    tokenizer.encodeWithSpecials(text, ids);
    holds(tokenizer.decode(ids) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto phi = load("tests/reference/data/phi-2");
    static const auto llama = load("tests/reference/data/sentencepiece");
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(*phi, text);
    check(*llama, text);
    return 0;
}
