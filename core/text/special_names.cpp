#include "text/special_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/json.h"
#include "text/limits.h"
#include "text/messages.h"

namespace studio::text {
namespace {

using io::Json;

// A token is written as a string or as an object with "content"; null where there is none.
Result<std::string> spellingOf(const Json& value, const std::string& where) {
    const Json* text = &value;
    if (value.is_object()) {
        const auto content = value.find("content");
        if (content == value.end()) return corruptFile(where, "the token has no \"content\"");
        text = &*content;
    }
    if (text->is_null()) return std::string();
    if (!text->is_string()) return corruptFile(where, "a token's spelling must be a string");
    return text->get<std::string>();
}

Result<bool> flag(const Json& object, const char* key, bool otherwise, const std::string& where) {
    const auto value = object.find(key);
    if (value == object.end() || value->is_null()) return otherwise;
    if (!value->is_boolean()) return corruptFile(where, fmt::format("{} must be true or false", quote(key)));
    return value->get<bool>();
}

class Reader {
  public:
    explicit Reader(SpecialNames& names) : names_(names) {}

    // tokenizer_config.json and special_tokens_map.json have the same keys for this.
    Result<void> tokens(const Json& object, const std::string& file) {
        STUDIO_TRY(const std::string eos, named(object, "eos_token", file));
        if (names_.eos.empty() && !eos.empty()) {
            names_.eos = eos;
            names_.eos_file = file;
        }
        STUDIO_TRY(const std::string pad, unkept(object, "pad_token", file));
        if (names_.padding.empty() && pad != names_.eos) names_.padding = pad;
        for (const char* key : {"bos_token", "unk_token", "sep_token", "cls_token", "mask_token"})
            STUDIO_CHECK(named(object, key, file));
        for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
            const auto list = object.find(key);
            if (list == object.end() || list->is_null()) continue;
            const std::string where = file + ", " + quote(key);
            if (!list->is_array() && !list->is_object()) return corruptFile(where, "a list of tokens is expected");
            for (const Json& token : *list) {
                STUDIO_TRY(std::string spelling, spellingOf(token, where));
                keep(std::move(spelling));
            }
        }
        return {};
    }

    Result<void> declared(const Json& object, const std::string& file) {
        const auto list = object.find("added_tokens_decoder");
        if (list == object.end() || list->is_null()) return {};
        const std::string where = file + ", \"added_tokens_decoder\"";
        if (!list->is_object()) return corruptFile(where, "an object from ids to tokens is expected");
        for (const auto& [key, value] : list->items()) {
            const std::string here = where + ", " + quote(key);
            STUDIO_TRY(const int id, parseId(key, here));
            if (!value.is_object()) return corruptFile(here, "an object is expected");
            STUDIO_TRY(const std::string spelling, spellingOf(value, here));
            if (spelling.empty()) return corruptFile(here, "the token has no spelling");
            STUDIO_TRY(const bool lstrip, flag(value, "lstrip", false, here));
            STUDIO_TRY(const bool rstrip, flag(value, "rstrip", false, here));
            STUDIO_TRY(const bool single_word, flag(value, "single_word", false, here));
            STUDIO_TRY(const bool special, flag(value, "special", false, here));
            STUDIO_TRY(const bool normalized, flag(value, "normalized", !special, here));
            if (spelling == names_.padding) continue;
            STUDIO_CHECK(checkAddedTokenFlags(here, spelling, lstrip, rstrip, single_word));
            names_.declared.push_back({spelling, id, special, normalized});
        }
        return {};
    }

  private:
    static Result<std::string> unkept(const Json& object, const char* key, const std::string& file) {
        const auto value = object.find(key);
        if (value == object.end()) return std::string();
        return spellingOf(*value, file + ", " + quote(key));
    }

    Result<std::string> named(const Json& object, const char* key, const std::string& file) {
        STUDIO_TRY(std::string spelling, unkept(object, key, file));
        keep(spelling);
        return spelling;
    }

    static Result<int> parseId(const std::string& key, const std::string& where) {
        const bool digits = !key.empty() && key.size() <= 7 &&
                            std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
        const int id = digits ? std::stoi(key) : kMaxTokens;
        if (id >= kMaxTokens) return corruptFile(where, fmt::format("ids are whole numbers below {}", kMaxTokens));
        return id;
    }

    void keep(std::string spelling) {
        if (!spelling.empty()) names_.spellings.push_back(std::move(spelling));
    }

    SpecialNames& names_;
};

// Nothing if the folder has no such file.
Result<std::optional<Json>> readObject(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return std::nullopt;
    STUDIO_TRY(Json value, io::readJson(file));
    if (!value.is_object()) return corruptFile(file.filename().string(), "an object is expected");
    return std::optional<Json>(std::move(value));
}

Result<std::optional<int>> readEosId(const Json& config) {
    const auto found = config.find("eos_token_id");
    if (found == config.end() || found->is_null()) return std::nullopt;
    const Json& value = found->is_array() && !found->empty() ? found->front() : *found;
    if (!value.is_number_integer() || value < 0 || value >= kMaxTokens)
        return corruptFile("config.json, \"eos_token_id\"", fmt::format("ids are whole numbers below {}", kMaxTokens));
    return value.get<int>();
}

}  // namespace

bool SpecialNames::makesSpecial(const std::string& spelling) const {
    return spelling == eos || spelling == padding ||
           std::find(spellings.begin(), spellings.end(), spelling) != spellings.end();
}

Result<SpecialNames> readSpecialNames(const std::filesystem::path& folder) {
    SpecialNames names;
    Reader reader(names);
    STUDIO_TRY(const auto config, readObject(folder / "tokenizer_config.json"));
    STUDIO_TRY(const auto map, readObject(folder / "special_tokens_map.json"));
    STUDIO_TRY(const auto model, readObject(folder / "config.json"));
    if (config) STUDIO_CHECK(reader.tokens(*config, "tokenizer_config.json"));
    if (map) STUDIO_CHECK(reader.tokens(*map, "special_tokens_map.json"));
    if (config) {
        STUDIO_CHECK(reader.declared(*config, "tokenizer_config.json"));
        STUDIO_TRY(names.add_prefix_space, flag(*config, "add_prefix_space", false, "tokenizer_config.json"));
    }
    if (model) {
        STUDIO_TRY(names.eos_id, readEosId(*model));
    }
    return names;
}

Result<void> checkAddedTokenFlags(std::string_view where, const std::string& spelling, bool lstrip, bool rstrip,
                                  bool single_word) {
    if (!lstrip && !rstrip && !single_word) return {};
    const char* name = lstrip ? "lstrip" : rstrip ? "rstrip" : "single_word";
    return fail(
        ErrorCode::Unsupported,
        fmt::format("{}: the added token {} has the flag {}, which is not supported.", where, quote(spelling), name),
        "Use the tokenizer of the original base model.");
}

}  // namespace studio::text
