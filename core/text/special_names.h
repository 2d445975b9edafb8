// What the small files beside a tokenizer say about its special tokens.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"

namespace studio::text {

struct SpecialNames {
    std::vector<std::string> spellings;  // begin, end, unknown and further special tokens
    std::string eos;                     // empty where no file names it
    std::string eos_file;                // that names it
    std::optional<int> eos_id;           // of config.json
    std::string padding;                 // never added to a vocabulary, but special where it is an added token
    std::vector<AddedToken> declared;    // added_tokens_decoder of tokenizer_config.json, without the padding
    bool add_prefix_space = false;

    // Whether an added token of this spelling is special whatever its flag says.
    bool makesSpecial(const std::string& spelling) const;
};

// tokenizer_config.json, special_tokens_map.json and config.json, those that `folder` has; the first that names an EOS
// wins. Padding tokens add nothing: rows here are never padded, and fine-tunes often leave one behind that the
// vocabulary lacks. Chat templates are never looked at.
Result<SpecialNames> readSpecialNames(const std::filesystem::path& folder);

// Error unless the flags of an added token are ones that are honoured here. `where` opens the message.
Result<void> checkAddedTokenFlags(std::string_view where, const std::string& spelling, bool lstrip, bool rstrip,
                                  bool single_word);

}  // namespace studio::text
