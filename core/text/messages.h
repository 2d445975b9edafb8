// Parts of messages about files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace studio::text {

// In quotation marks, at most about 60 bytes of it; what is not printable is written as \xNN.
std::string quote(std::string_view text);

// "merges.txt, line 7".
struct FilePlace {
    std::uint32_t line = 0;    // from 1; 0: the whole file
    std::uint32_t column = 0;  // bytes from 1; 0: not worth telling
};
std::string describe(const std::string& file, FilePlace place);

// "WHERE: WHAT." with the advice that fits every broken tokenizer file.
tl::unexpected<Error> corruptFile(std::string_view where, std::string_view what);

}  // namespace studio::text
