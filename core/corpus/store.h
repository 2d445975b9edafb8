// The message store: one SQLite database, in a file or in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/message.h"

namespace studio::corpus {

class Database;

// A file whose messages the store holds.
struct Source {
    std::int64_t id = 0;
    std::string name, sha256, imported_at;  // ISO 8601, UTC
    std::uint64_t bytes = 0, lines = 0, messages = 0;
};

struct StoreCounts {
    std::int64_t messages = 0, trees = 0, roots = 0, orphans = 0;
};

// Used by one thread at a time; another thread opens its own Store on the same file.
class Store {
  public:
    enum class Access { ReadWrite, ReadOnly };

    // Creates the file (not its folder) where it is missing and brings an older schema up to date, after a backup
    // beside it. Unsupported: made by a newer version. Corrupt: not a database, damaged, or holds triggers or views.
    static Result<Store> openFile(const std::filesystem::path& path, Access access = Access::ReadWrite);
    static Result<Store> openMemory();

    Store(Store&&) noexcept;
    Store& operator=(Store&&) noexcept;
    ~Store();

    Result<StoreCounts> counts();
    Result<std::vector<Source>> sources();
    Result<std::optional<Message>> message(std::string_view message_id);
    Result<std::optional<Message>> messageAt(std::int64_t row);
    Result<std::vector<Message>> messagesOfTree(std::int64_t tree);  // Catalogue::Tree::row; in file order

    // Brings the word index up to date with the messages (a filter with words does this when it needs it). About 30 MB
    // of text a second; done in slices that are kept when it is stopped.
    Result<void> updateTextIndex(const JobContext& job);
    Result<bool> textIndexIsCurrent();

    // SQLite's own check of every page. Corrupt, with what is wrong, if it finds something.
    Result<void> check(const JobContext& job);

    Database& database() { return *database_; }

  private:
    explicit Store(std::unique_ptr<Database> database);
    std::unique_ptr<Database> database_;
};

}  // namespace studio::corpus
