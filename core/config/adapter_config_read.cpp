#include <fmt/format.h>

#include "config/adapter_config.h"
#include "config/recipe_parse.h"
#include "config/scalar.h"
#include "io/file.h"

namespace studio::config {
namespace {

constexpr const char* kFileName = "adapter_config.json";

// A text or null; anything else is a wrong file.
Result<void> readText(const Node& root, const char* key, std::optional<std::string>& into) {
    const Node* node = root.find(key);
    if (!node) return {};
    if (node->kind == Node::Kind::Null) {
        into.reset();
        return {};
    }
    if (node->kind != Node::Kind::Quoted)
        return fail(ErrorCode::Corrupt, fmt::format("{} is {}, which is no text.", key, shown(*node)),
                    "Get the adapter again, or correct its adapter_config.json.");
    into = node->text;
    return {};
}

Result<void> readOwn(const Node& root, AdapterConfig& into) {
    std::optional<std::string> version, type;
    into.task_type.reset();
    STUDIO_CHECK(readText(root, "base_model_name_or_path", into.base_model_name_or_path));
    STUDIO_CHECK(readText(root, "revision", into.revision));
    STUDIO_CHECK(readText(root, "task_type", into.task_type));
    STUDIO_CHECK(readText(root, "peft_version", version));
    STUDIO_CHECK(readText(root, "peft_type", type));
    if (version) into.peft_version = *version;
    if (!type)
        return fail(ErrorCode::Corrupt, "peft_type is missing.",
                    "This is no adapter_config.json as PEFT writes it; get the adapter again.");
    into.inference_mode = false;
    if (const Node* mode = root.find("inference_mode"); mode && mode->kind == Node::Kind::Plain) {
        STUDIO_TRY(into.inference_mode, parseBool(mode->text));
    }
    return {};
}

// The keys of LoraConfig alone; BitsAndBytesConfig's are in no adapter.
bool isLoraKey(std::string_view key) {
    if (key.starts_with("bnb_4bit") || key.starts_with("llm_int8") || key.find("load_in_") != key.npos ||
        key == "quant_method")
        return false;
    if (const auto field = findField(key)) return field->file == File::Qlora;
    if (const auto known = findKnownKey(key)) return known->file == File::Qlora;
    return false;
}

Error inFile(std::string_view name, const Error& error) {
    return {error.code, fmt::format("{}: {}", name, error.message), error.hint};
}

}  // namespace

Result<AdapterConfig> parseAdapterConfig(std::string_view text, std::string_view name) {
    STUDIO_TRY(const Node root, parseJsonNode(text, name));
    AdapterConfig config;
    if (auto own = readOwn(root, config); !own) return fail(inFile(name, own.error()));

    ReadRecipe read;
    Assigner assigner(read, name, File::Qlora);
    for (const auto& [key, value] : root.entries) {
        if (isLoraKey(key.text))
            assigner.assign(key, value);
        else
            config.warnings.push_back(
                fmt::format("{} holds the key {}, which PEFT 0.21 does not know; it is ignored.", name, shown(key)));
    }
    if (hasErrors(read.issues)) {
        STUDIO_CHECK(requireValid(read));
    }
    config.lora = read.recipe.qlora;
    return config;
}

Result<AdapterConfig> readAdapterConfig(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / kFileName;
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return fail(ErrorCode::NotFound,
                    fmt::format("{} holds no {}, so it is no adapter.", folder.string(), kFileName),
                    "Name the folder that PEFT or a run saved the adapter in.");
    if (!std::filesystem::exists(folder / "adapter_model.safetensors", error) &&
        std::filesystem::exists(folder / "adapter_model.bin", error))
        return fail(
            ErrorCode::Unsupported,
            fmt::format("{} has its weights in adapter_model.bin, a pickle, which can run code and is not read.",
                        folder.string()),
            "Load it in PEFT and save it again with safe_serialization=True.");
    STUDIO_TRY(const std::string text, io::readFile(file, kMaxConfigBytes));
    return parseAdapterConfig(text, file.string());
}

}  // namespace studio::config
