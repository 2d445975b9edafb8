// Text from files inside messages for people.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace studio::text {

// In quotation marks, at most about 60 bytes of it; what is not printable is written as \xNN.
std::string quote(std::string_view text);

// "WHERE: WHAT." with the advice that fits every broken tokenizer file.
tl::unexpected<Error> corruptFile(std::string_view where, std::string_view what);

}  // namespace studio::text
