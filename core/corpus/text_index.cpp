// The word index of a store: filled behind the import, because it takes as long as everything else together.
#include <algorithm>

#include "corpus/sqlite.h"
#include "corpus/store.h"

namespace studio::corpus {
namespace {

constexpr std::int64_t kSlice = 4096;  // messages; kept when the job is stopped after them

Result<std::int64_t> lastMessage(Database& database) {
    return database.integer("SELECT coalesce(max(id), 0) FROM messages");
}

Result<void> indexSlice(Database& database, std::int64_t after, std::int64_t last) {
    STUDIO_TRY(Transaction transaction, Transaction::begin(database));
    STUDIO_TRY(Statement insert, database.prepare("INSERT INTO words(rowid, text)"
                                                  " SELECT id, text FROM details WHERE id > ? AND id <= ?"));
    insert.bind(1, after);
    insert.bind(2, last);
    STUDIO_CHECK(insert.run());
    STUDIO_TRY(Statement mark, database.prepare("UPDATE text_index SET last_message = ?"));
    mark.bind(1, last);
    STUDIO_CHECK(mark.run());
    return transaction.commit();
}

}  // namespace

Result<bool> Store::textIndexIsCurrent() {
    STUDIO_TRY(const std::int64_t done, database_->integer("SELECT last_message FROM text_index"));
    STUDIO_TRY(const std::int64_t last, lastMessage(*database_));
    return done >= last;
}

Result<void> Store::updateTextIndex(const JobContext& job) {
    STUDIO_TRY(std::int64_t done, database_->integer("SELECT last_message FROM text_index"));
    STUDIO_TRY(const std::int64_t last, lastMessage(*database_));
    if (done >= last) return {};
    if (database_->readOnly()) {
        return fail(ErrorCode::Unsupported,
                    "The words of this message store are not indexed yet, and it is open for reading only.",
                    "Open it for writing once, or search with contains:\"…\" instead of words.");
    }
    const auto total = static_cast<std::uint64_t>(last - done);
    for (std::int64_t first = done; done < last;) {
        if (job.stopped()) return cancelled();
        const std::int64_t next = std::min(done + kSlice, last);
        STUDIO_CHECK(indexSlice(*database_, done, next));
        done = next;
        job.report({"Indexing words", static_cast<std::uint64_t>(done - first), total, "messages"});
    }
    return {};
}

}  // namespace studio::corpus
