// The files of a byte-level BPE, read but not yet held against each other.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"

namespace studio::text {

// "merges.txt, line 7", for messages.
struct FilePlace {
    std::uint32_t line = 0;     // from 1
    std::uint32_t column = 0;   // bytes from 1; 0: not worth telling
};
std::string describe(const std::string& file, FilePlace place);

struct VocabularyEntry {
    std::string spelling;   // as written in the file
    int id = 0;
    FilePlace place;
};

struct MergeEntry {
    std::string left, right;   // as written in the file
    FilePlace place;
};

struct BpeFiles {
    std::string vocabulary_file, merges_file, added_file;   // names for messages
    std::vector<VocabularyEntry> vocabulary;                // in the file's order, like the rest
    std::vector<MergeEntry> merges;                         // the first has the lowest rank
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
