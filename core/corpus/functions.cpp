#include "corpus/functions.h"

#include <sqlite3.h>

#include "corpus/regex.h"

namespace studio::corpus {
namespace {

void textMatches(sqlite3_context* context, int, sqlite3_value** arguments) {
    auto& database = *static_cast<Database*>(sqlite3_user_data(context));
    const auto* regex = static_cast<const Regex*>(sqlite3_value_pointer(arguments[0], kRegexPointer));
    if (!regex || database.interrupted()) {
        sqlite3_result_error_code(context, regex ? SQLITE_INTERRUPT : SQLITE_MISUSE);
        return;
    }
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(arguments[1]));
    if (!text) return;  // NULL
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(arguments[1]));
    const Regex::Match match = regex->match({text, size});
    // SQLITE_ABORT is ours alone: Database::error() has the sentence for it.
    if (match == Regex::Match::LimitReached)
        sqlite3_result_error_code(context, SQLITE_ABORT);
    else
        sqlite3_result_int(context, match == Regex::Match::Yes);
}

}  // namespace

Result<void> addFunctions(Database& database) {
    const int code = sqlite3_create_function_v2(database.handle(), "text_matches", 2,
                                                SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, &database,
                                                &textMatches, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(database.error(code));
    return {};
}

}  // namespace studio::corpus
