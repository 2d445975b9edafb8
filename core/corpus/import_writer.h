// Writes the messages of one import into the store; knows their ids, not their texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/id_table.h"
#include "corpus/link.h"
#include "corpus/message_fields.h"
#include "corpus/sqlite.h"

namespace studio::corpus {

enum class Added { Stored, Merged, Conflict };

// A message that was stored at first, but has no place in a tree.
struct Misplaced {
    std::uint64_t line = 0, offset = 0;
    std::string message_id, parent_id, text;
    Fate fate = Fate::Root;
    bool parent_rejected = false;
};

// What linking found, among the messages of this import.
struct LinkSummary {
    std::uint64_t messages = 0, trees = 0, roots = 0, orphans = 0, adopted = 0, rejected = 0;
    std::vector<Misplaced> listed_orphans, listed_rejected;  // by line, at most `max_listed` each
};

class ImportWriter {
  public:
    // Reads the ids that the store holds already. Within a transaction.
    static Result<ImportWriter> begin(Database& database, std::int64_t source);

    // Conflict: another message with this id is stored.
    Result<Added> add(const MessageFields& fields, std::uint64_t line, std::uint64_t offset);

    // Once all messages are there: builds the trees, removes what is rejected and restores the indices.
    Result<LinkSummary> finish(std::size_t max_listed, const JobContext& job);

  private:
    struct Entry {
        std::int64_t row = 0;
        IdKey parent;
        std::uint32_t tree = 0;
        std::uint8_t role = 0;
        bool earlier = false;  // stored by an earlier import
        std::uint64_t line = 0, offset = 0;
    };

    ImportWriter(Database& database, std::int64_t source) : database_(&database), source_(source) {}
    Result<void> loadTrees();
    Result<void> loadMessages();
    Result<void> prepare();
    Result<std::uint32_t> treeOf(std::string_view tree_id);
    Result<void> insert(std::int64_t row, std::uint32_t tree, const MessageFields& fields);
    Result<bool> equalsStored(std::int64_t row, std::uint32_t tree, const MessageFields& fields);
    void bindDetails(Statement& statement, const MessageFields& fields);
    void bindNumbers(Statement& statement, int first, std::uint32_t tree, const MessageFields& fields);
    std::vector<Link> linkAll() const;
    Result<void> writeLinks(const std::vector<Link>& links, const JobContext& job);
    Result<void> remove(std::int64_t row);
    Result<void> writeTrees();
    Result<Misplaced> describe(const Entry& entry, const Link& link);

    Database* database_;
    std::int64_t source_;
    IdTable ids_, tree_ids_;
    std::vector<Entry> entries_;           // by index in ids_
    std::vector<Link> stored_links_;       // of earlier messages, as the store has them
    std::vector<std::int64_t> tree_rows_;  // by index in tree_ids_
    std::vector<std::uint32_t> tree_sizes_;
    std::int64_t next_row_ = 1, next_tree_row_ = 1;
    Statement insert_details_, insert_message_, insert_tree_, same_, remove_message_, remove_details_;
    std::string labels_, emojis_, detoxify_;  // as JSON, of the message at hand
};

}  // namespace studio::corpus
