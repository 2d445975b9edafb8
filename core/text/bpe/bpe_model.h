// A byte-level BPE that has passed every check.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"
#include "text/bpe/bpe_files.h"
#include "text/bpe/merge_table.h"
#include "text/special_names.h"

namespace studio::text {

struct BpeModel {
    std::vector<std::string> tokens;  // bytes by id; empty: the id stands for nothing
    std::vector<bool> special;        // by id
    std::array<int, 256> byte_ids{};
    MergeTable merges;
    std::vector<AddedToken> added;
    int eos = 0;
};

// Holds the files against each other: ids without holes and each given once, a token for every byte, merges of known
// tokens only, an EOS that no message can spell.
Result<BpeModel> buildBpeModel(const BpeFiles& files, const SpecialNames& names);

}  // namespace studio::text
