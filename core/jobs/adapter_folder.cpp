#include "jobs/adapter_folder.h"

#include <fmt/format.h>

#include "config/model_config.h"
#include "io/safetensors.h"

namespace studio::jobs {

engine::api::LoraSpec loraSpec(const std::vector<config::TargetModule>& targets, double dropout, std::uint64_t seed) {
    engine::api::LoraSpec spec;
    spec.dropout = dropout;
    spec.seed = seed;
    for (const config::TargetModule& t : targets) spec.modules.push_back({t.name, static_cast<int>(t.r), t.scaling});
    return spec;
}

Result<config::AdapterConfig> loadAdapterFolder(engine::api::Model& model, const std::filesystem::path& base_folder,
                                                const std::filesystem::path& folder) {
    STUDIO_TRY(auto adapter, config::readAdapterConfig(folder));
    STUDIO_TRY(const auto phi, config::readPhiConfig(base_folder));
    STUDIO_TRY(const auto targets, config::matchTargets(adapter.lora, config::linearNames(phi)));
    STUDIO_TRY(const auto tensors, io::readTensors(folder / "adapter_model.safetensors"));
    STUDIO_CHECK(model.loadAdapter(loraSpec(targets, adapter.lora.lora_dropout, 0), tensors.tensors));
    return adapter;
}

}  // namespace studio::jobs
