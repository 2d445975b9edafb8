// libFuzzer: any bytes as adapter_config.json and as a model's config.json. What is accepted must be usable.
//   clang++ -std=c++20 -fsanitize=fuzzer,address,undefined -Icore tests/fuzz/adapter_config.cpp <config, io, base
//   sources>
#include "config/adapter_config.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/model_config.h"
#include "config/target_modules.h"

using namespace studio::config;

namespace {

void holds(bool condition) {
    if (!condition) std::abort();  // what the fuzzer looks for
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto model = parsePhiConfig(text, "config.json")) {
        holds(model->hidden_size == model->head_dim * model->num_attention_heads);
        holds(parameterCount(*model) > 0);
    }
    const auto adapter = parseAdapterConfig(text, "adapter_config.json");
    if (!adapter) return 0;
    const std::string written = formatAdapterConfig(*adapter);
    const auto again = parseAdapterConfig(written, "adapter_config.json");
    holds(again.has_value() && formatAdapterConfig(*again) == written);
    PhiConfig phi;
    phi.num_hidden_layers = 2;
    const auto names = linearNames(phi);
    if (const auto targets = matchTargets(adapter->lora, names))
        for (const TargetModule& target : *targets) holds(target.r > 0 && target.scaling > 0);
    return 0;
}
