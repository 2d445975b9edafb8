// JSON objects from tokens to ids: vocab.json and added_tokens.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/messages.h"

namespace studio::text {

struct IdEntry {
    std::string spelling;  // as written in the file
    int id = 0;            // from 0 to kMaxTokens - 1
    FilePlace place;
};

// In the file's order; neither ids nor spellings are held against each other.
Result<std::vector<IdEntry>> readIdFile(const std::filesystem::path& path);

}  // namespace studio::text
