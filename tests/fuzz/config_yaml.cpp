// libFuzzer: any bytes as training_config.yaml and qlora_config.json. What is accepted must survive writing and
// reading.
//   clang++ -std=c++20 -fsanitize=fuzzer,address,undefined -Icore tests/fuzz/config_yaml.cpp <config, io, base sources>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/recipe_file.h"

using namespace studio::config;

namespace {

void holds(bool condition) {
    if (!condition) std::abort();  // what the fuzzer looks for
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const char* name = data[0] & 1 ? "x.yaml" : "x.json";
    ReadRecipe read;
    if (data[0] & 2) {
        if (!parseQloraConfig(text, name, read) || hasErrors(read.issues)) return 0;
        ReadRecipe again;
        holds(parseQloraConfig(formatQloraConfig(read.recipe.qlora), "x.json", again).has_value());
        holds(again.recipe.qlora == read.recipe.qlora);
    } else {
        if (!parseTrainingConfig(text, name, read) || hasErrors(read.issues)) return 0;
        ReadRecipe again;
        holds(parseTrainingConfig(formatTrainingConfig(read.recipe), "x.yaml", again).has_value());
        holds(again.recipe.training == read.recipe.training);
    }
    checkRead(read);
    return 0;
}
