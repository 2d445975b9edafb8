#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/adapter_config.h"
#include "config/scalar.h"
#include "config/target_modules.h"

namespace studio::config {
namespace {

// json.dumps(…, indent=2): a list or map has a line for each element, an empty one none.
class PythonJson {
  public:
    static std::string text(const std::optional<std::string>& value) { return value ? quote(*value, true) : "null"; }
    static std::string boolean(bool value) { return value ? "true" : "false"; }
    // LoraConfig's alphas are whole numbers unless somebody wrote a fraction.
    static std::string number(double value) {
        const std::string text = formatPython(value);
        return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
    }
    static std::string list(const std::vector<std::string>& values) {
        return block(values, '[', ']', [](const std::string& value) { return quote(value, true); });
    }
    static std::string oneOrList(const std::vector<std::string>& values) {
        if (values.empty()) return "null";
        return values.size() == 1 ? quote(values.front(), true) : list(values);
    }
    static std::string list(const std::vector<std::int64_t>& values) {
        return block(values, '[', ']', [](std::int64_t value) { return fmt::format("{}", value); });
    }
    template <class T>
    static std::string map(Pattern<T> pattern) {
        std::sort(pattern.begin(), pattern.end());
        return block(pattern, '{', '}', [](const auto& entry) {
            return quote(entry.first, true) + ": " + number(static_cast<double>(entry.second));
        });
    }
    static std::string modules(const ModuleSelection& selection) {
        if (const auto* one = std::get_if<std::string>(&selection)) return quote(*one, true);
        if (const auto* names = std::get_if<std::vector<std::string>>(&selection)) return list(*names);
        return "null";
    }

  private:
    template <class Values, class Write>
    static std::string block(const Values& values, char open, char close, Write write) {
        std::string out(1, open);
        for (const auto& value : values) out += (out.size() > 1 ? ",\n    " : "\n    ") + write(value);
        if (out.size() > 1) out += "\n  ";
        return out + close;
    }
};

// PEFT writes what it resolved, so that readers that know nothing of phi find the modules too.
ModuleSelection resolved(const ModuleSelection& selection) {
    if (std::holds_alternative<std::monostate>(selection)) return phiDefaultTargets();
    const auto* text = std::get_if<std::string>(&selection);
    return text && isAllLinear(*text) ? ModuleSelection(phiLinearNames()) : selection;
}

}  // namespace

std::string formatAdapterConfig(const AdapterConfig& config) {
    const QloraConfig& lora = config.lora;
    using Json = PythonJson;
    const std::map<std::string_view, std::string> keys{
        {"alora_invocation_tokens", "null"},
        {"alpha_pattern", Json::map(lora.alpha_pattern)},
        {"arrow_config", "null"},
        {"auto_mapping", "null"},
        {"base_model_name_or_path", Json::text(config.base_model_name_or_path)},
        {"bias", R"("none")"},
        {"corda_config", "null"},
        {"ensure_weight_tying", "false"},
        {"eva_config", "null"},
        {"exclude_modules", Json::modules(lora.exclude_modules)},
        {"fan_in_fan_out", "false"},
        {"inference_mode", Json::boolean(config.inference_mode)},
        {"init_lora_weights", "true"},
        {"kasa_config", "null"},
        {"layer_replication", "null"},
        {"layers_pattern", Json::oneOrList(lora.layers_pattern)},
        {"layers_to_transform", lora.layers_to_transform.empty() ? "null" : Json::list(lora.layers_to_transform)},
        {"loftq_config", "{}"},
        {"lora_alpha", Json::number(lora.lora_alpha)},
        {"lora_bias", "false"},
        {"lora_dropout", formatPython(lora.lora_dropout)},
        {"lora_ga_config", "null"},
        {"megatron_config", "null"},
        {"megatron_core", R"("megatron.core")"},
        {"modules_to_save", "null"},
        {"monteclora_config", "null"},
        {"peft_type", R"("LORA")"},
        {"peft_version", quote(config.peft_version, true)},
        {"qalora_group_size", "16"},
        {"r", fmt::format("{}", lora.r)},
        {"rank_pattern", Json::map(lora.rank_pattern)},
        {"revision", Json::text(config.revision)},
        {"target_modules", Json::modules(resolved(lora.target_modules))},
        {"target_parameters", "null"},
        {"task_type", Json::text(config.task_type)},
        {"trainable_token_indices", "null"},
        {"use_bdlora", "null"},
        {"use_dora", "false"},
        {"use_qalora", "false"},
        {"use_rslora", Json::boolean(lora.use_rslora)},
        {"velora_config", "null"},
    };
    std::string out = "{";
    for (const auto& [key, value] : keys) out += fmt::format("{}\n  \"{}\": {}", out.size() > 1 ? "," : "", key, value);
    return out + "\n}";
}

}  // namespace studio::config
