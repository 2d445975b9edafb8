// The store's tables and how an older store becomes a current one.
#pragma once

#include <span>
#include <string_view>

#include "corpus/sqlite.h"

namespace studio::corpus {

// SQL that leads from version i to i + 1; resources/migrations, compiled in.
std::span<const std::string_view> migrations();

// Brings the database to the newest version, each migration in a transaction of its own. An existing store is copied to
// FILE.backup-vN first. Unsupported if it is newer than `steps`; Corrupt if it is no message store or holds triggers or
// views, which would run inside this program.
Result<void> migrate(Database& database, std::span<const std::string_view> steps);

// Indices are dropped for the length of an import and built again at its end, which is several times faster.
Result<void> createIndices(Database& database);
Result<void> dropIndices(Database& database);

}  // namespace studio::corpus
