// SQLite's C interface behind Result and RAII: databases, statements, transactions, interruption.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/job.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace studio::corpus {

// A prepared statement. Parameters are numbered from 1, columns from 0, as in SQLite. bind() keeps no copy of a text:
// it must live until the statement was run. A failed bind is reported by the next step().
class Statement {
  public:
    Statement() = default;

    void bind(int index, std::nullptr_t);
    void bind(int index, std::int64_t value);
    void bind(int index, int value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, bool value) { bind(index, static_cast<std::int64_t>(value)); }
    void bind(int index, double value);
    void bind(int index, std::string_view text);
    void bind(int index, const char*) = delete;  // would become bool
    template <class T>
    void bind(int index, const std::optional<T>& value) {
        value ? bind(index, *value) : bind(index, nullptr);
    }
    // For functions that take an object (sqlite3_value_pointer); `type` is a literal.
    void bindPointer(int index, const void* object, const char* type);

    Result<bool> step();  // true: there is a row
    Result<void> run();   // to the end, then reset
    void reset();

    bool isNull(int column) const;
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string_view text(int column) const;  // valid until the next step; may contain NUL
    std::optional<std::int64_t> optionalInteger(int column) const;
    std::optional<std::string_view> optionalText(int column) const;

  private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    const class Database* database_ = nullptr;
    int bind_error_ = 0;
};

// One connection; statements must be gone before it is.
class Database {
  public:
    enum class Access { ReadWrite, ReadOnly };
    // An empty path is a database in memory. Sets what every connection has: trusted_schema off, extended result codes,
    // a busy time-out of 5 s.
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, Access access);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<void> execute(const char* sql);  // any number of statements without parameters
    Result<Statement> prepare(std::string_view sql);
    Result<std::int64_t> integer(std::string_view sql);  // the first column of the first row; 0 if there is none
    std::int64_t changes() const;

    // How long a statement waits for another connection's lock before it is Busy. 5 s at first.
    void setBusyTimeout(std::chrono::milliseconds time) { busy_timeout_ = time; }

    bool readOnly() const { return read_only_; }
    bool inMemory() const { return path_.empty(); }
    const std::filesystem::path& path() const { return path_; }
    sqlite3* handle() const { return handle_; }

    // The error of the last call on this connection, as a sentence; result code `code`.
    Error error(int code) const;

    // Whether the job of the present Interruptible was stopped, or its time is over.
    bool interrupted();

  private:
    friend class Interruptible;
    Database() = default;
    static int onBusy(void* self, int attempt);
    sqlite3* handle_ = nullptr;
    std::filesystem::path path_;
    bool read_only_ = false;
    std::chrono::milliseconds busy_timeout_{5000};
    class Interruptible* interruptible_ = nullptr;
};

// While it lives, statements of the connection end with Cancelled once the job is stopped, and with OutOfRange once
// `limit` (0: none) is over. Not nested.
class Interruptible {
  public:
    Interruptible(Database& database, const JobContext& job, std::chrono::milliseconds limit = {});
    ~Interruptible();
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;

    bool timedOut() const { return timed_out_; }
    bool stopped() const { return job_.stopped(); }
    bool over();

  private:
    static int onProgress(void* self);
    Database& database_;
    const JobContext& job_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
    bool timed_out_ = false;
};

// Rolled back unless committed.
class Transaction {
  public:
    // Takes the write lock at once, so that nothing fails half-way because of another writer.
    static Result<Transaction> begin(Database& database);
    Result<void> commit();
    Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

}  // namespace studio::corpus
