#include "corpus/query.h"

#include <fmt/format.h>

#include "corpus/filter_sql.h"
#include "corpus/sqlite.h"

namespace studio::corpus {

Result<QueryResult> query(Store& store, const Filter& filter, const QueryOptions& options, const JobContext& job) {
    const FilterSql sql = filterSql(filter);
    if (sql.needs_words) STUDIO_CHECK(store.updateTextIndex(job));
    Database& database = store.database();
    const Interruptible scope(database, job, options.time_limit);
    const bool details = sql.needs_details || options.message_ids;
    STUDIO_TRY(Statement row,
               database.prepare(fmt::format(
                   "SELECT m.id, m.tree, m.orphan, m.parent IS NULL{} FROM messages m{} WHERE {} ORDER BY m.id",
                   options.message_ids ? ", d.message_id" : "", details ? " CROSS JOIN details d ON d.id = m.id" : "",
                   sql.where)));
    sql.bind(row);
    QueryResult result;
    std::vector<bool> trees;
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) break;
        result.rows.push_back(row.integer(0));
        const auto tree = static_cast<std::size_t>(row.integer(1));
        if (tree >= trees.size()) trees.resize(tree + tree / 2 + 64);
        result.conversations += !trees[tree];
        trees[tree] = true;
        const bool orphan = row.integer(2) != 0;
        result.orphans += orphan;
        result.roots += !orphan && row.integer(3) != 0;
        if (options.message_ids) result.message_ids.emplace_back(row.text(4));
    }
    result.messages = static_cast<std::int64_t>(result.rows.size());
    return result;
}

}  // namespace studio::corpus
