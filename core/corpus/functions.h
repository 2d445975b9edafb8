// What our SQL needs and SQLite has not.
#pragma once

#include "corpus/sqlite.h"

namespace studio::corpus {

// The type name under which a const Regex* is bound to text_matches().
inline constexpr char kRegexPointer[] = "studio-regex";

// Adds text_matches(regex, text) to the connection: 1 or 0; an error beyond the regular expression's limit.
Result<void> addFunctions(Database& database);

}  // namespace studio::corpus
