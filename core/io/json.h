// Small JSON files: bounded in size and depth, duplicate keys refused.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"

namespace studio::io {

using Json = nlohmann::ordered_json;

struct JsonLimits {
    std::size_t max_bytes = 64u << 20;
    int max_depth = 64;
};

// `name` appears in messages ("config.json: line 3, column 7: …"). Strict UTF-8; a byte order mark is accepted.
Result<Json> parseJson(std::string_view text, std::string_view name, JsonLimits limits = {});
Result<Json> readJson(const std::filesystem::path& path, JsonLimits limits = {});

// Numbers with 9 significant digits, invalid UTF-8 replaced: for what is printed for other programs.
std::string dumpJson(const Json& value, int indent = -1);

}  // namespace studio::io
