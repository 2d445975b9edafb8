#include "corpus/schema.h"

#include <fmt/format.h>

#include <string>

namespace studio::corpus {
namespace {

// "QLST": tells our databases from other people's.
constexpr std::int64_t kApplicationId = 0x514C5354;

constexpr const char* kIndices[] = {
    "CREATE UNIQUE INDEX IF NOT EXISTS details_message_id ON details(message_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS trees_tree_id ON trees(tree_id)",
    "CREATE INDEX IF NOT EXISTS messages_tree_depth ON messages(tree, depth)",
    "CREATE INDEX IF NOT EXISTS messages_parent ON messages(parent)",
    "CREATE INDEX IF NOT EXISTS messages_lang ON messages(lang)",
};

Error notOurs(const Database& database, const std::string& why) {
    return {ErrorCode::Corrupt, fmt::format("{} is not a message store: {}.", database.path().string(), why),
            "Choose another file."};
}

Result<void> checkForeignObjects(Database& database) {
    STUDIO_TRY(Statement found,
               database.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')"));
    STUDIO_TRY(const bool any, found.step());
    if (!any) return {};
    Error error = notOurs(database, fmt::format("it holds the {} \"{}\"", found.text(0), found.text(1)));
    error.hint = "Somebody added it; a message store has none. Import the data again into a new store.";
    return fail(std::move(error));
}

Result<void> backUp(Database& database, std::int64_t version) {
    if (database.inMemory()) return {};
    const std::string target = fmt::format("{}.backup-v{}", database.path().string(), version);
    std::error_code ignored;
    std::filesystem::remove(target, ignored);
    STUDIO_TRY(Statement copy, database.prepare("VACUUM INTO ?"));
    copy.bind(1, std::string_view(target));
    return copy.run();
}

Result<void> apply(Database& database, std::string_view sql, std::int64_t version) {
    STUDIO_TRY(Transaction transaction, Transaction::begin(database));
    // Somebody else may have done it while we waited for the lock.
    STUDIO_TRY(const std::int64_t now, database.integer("PRAGMA user_version"));
    if (now >= version) return {};
    STUDIO_CHECK(database.execute(std::string(sql).c_str()));
    STUDIO_CHECK(createIndices(database));
    STUDIO_CHECK(database.execute(
        fmt::format("PRAGMA user_version={}; PRAGMA application_id={}", version, kApplicationId).c_str()));
    return transaction.commit();
}

}  // namespace

Result<void> migrate(Database& database, std::span<const std::string_view> steps) {
    const auto newest = static_cast<std::int64_t>(steps.size());
    STUDIO_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
    STUDIO_TRY(const std::int64_t owner, database.integer("PRAGMA application_id"));
    STUDIO_TRY(const std::int64_t objects, database.integer("SELECT count(*) FROM sqlite_schema"));
    if (objects > 0 && owner != kApplicationId) return fail(notOurs(database, "another program made this database"));
    if (objects > 0 && version < 1) return fail(notOurs(database, "it carries no version"));
    if (version > newest) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("The message store {} has version {}; this program knows versions up to {}.",
                                database.path().string(), version, newest),
                    "Open it with the newer QLoRA Studio that wrote it; it was left as it is.");
    }
    STUDIO_CHECK(checkForeignObjects(database));
    if (version == newest) return {};
    if (database.readOnly()) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("The message store {} has the older version {} and cannot be brought up to date, "
                                "because it is open for reading only.",
                                database.path().string(), version),
                    "Open it once for writing.");
    }
    if (version > 0) STUDIO_CHECK(backUp(database, version));
    for (std::int64_t step = version; step < newest; ++step)
        STUDIO_CHECK(apply(database, steps[static_cast<std::size_t>(step)], step + 1));
    return {};
}

Result<void> createIndices(Database& database) {
    for (const char* sql : kIndices) STUDIO_CHECK(database.execute(sql));
    return {};
}

Result<void> dropIndices(Database& database) {
    return database.execute(
        "DROP INDEX IF EXISTS details_message_id; DROP INDEX IF EXISTS trees_tree_id;"
        "DROP INDEX IF EXISTS messages_tree; DROP INDEX IF EXISTS messages_tree_depth; DROP INDEX IF EXISTS "
        "messages_parent; DROP INDEX IF EXISTS messages_lang");
}

}  // namespace studio::corpus
