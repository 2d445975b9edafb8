// The files of a byte-level BPE, read but not yet held against each other.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"
#include "text/id_file.h"
#include "text/messages.h"

namespace studio::text {

struct MergeEntry {
    std::string left, right;  // as written in the file
    FilePlace place;
};

struct BpeFiles {
    std::string vocabulary_file, merges_file, added_file;  // names for messages
    std::vector<IdEntry> vocabulary;                       // in the file's order, like the rest
    std::vector<MergeEntry> merges;                        // the first has the lowest rank
    struct Added {
        AddedToken token;
        FilePlace place;
    };
    std::vector<Added> added;
};

// vocab.json, merges.txt and, if the folder has it, added_tokens.json (special tokens are not yet marked).
Result<BpeFiles> readVocabularyAndMerges(const std::filesystem::path& folder);

// tokenizer.json. Unsupported unless it is a byte-level BPE with GPT-2's pre-tokenizer and no normaliser.
Result<BpeFiles> readTokenizerJson(const std::filesystem::path& folder);

}  // namespace studio::text
