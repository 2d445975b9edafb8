#include "corpus/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <thread>

namespace studio::corpus {
namespace {

constexpr std::chrono::milliseconds kBusyStep{10};
constexpr int kInstructionsBetweenChecks = 2000;  // well under a millisecond

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

void Statement::bind(int index, std::nullptr_t) {
    if (const int code = sqlite3_bind_null(statement_.get(), index)) bind_error_ = code;
}

void Statement::bind(int index, std::int64_t value) {
    if (const int code = sqlite3_bind_int64(statement_.get(), index, value)) bind_error_ = code;
}

void Statement::bind(int index, double value) {
    if (const int code = sqlite3_bind_double(statement_.get(), index, value)) bind_error_ = code;
}

void Statement::bind(int index, std::string_view text) {
    const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
    const int code = sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    if (code) bind_error_ = code;
}

void Statement::bindPointer(int index, const void* object, const char* type) {
    const int code = sqlite3_bind_pointer(statement_.get(), index, const_cast<void*>(object), type, nullptr);
    if (code) bind_error_ = code;
}

Result<bool> Statement::step() {
    if (bind_error_) return fail(database_->error(bind_error_));
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(database_->error(code));
}

Result<void> Statement::run() {
    for (;;) {
        auto row = step();
        if (!row) {
            Error error = std::move(row).error();
            reset();
            return fail(std::move(error));
        }
        if (!*row) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
    bind_error_ = 0;
}

bool Statement::isNull(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
    return sqlite3_column_double(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    if (!data) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<std::int64_t> Statement::optionalInteger(int column) const {
    if (isNull(column)) return std::nullopt;
    return integer(column);
}

std::optional<std::string_view> Statement::optionalText(int column) const {
    if (isNull(column)) return std::nullopt;
    return text(column);
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, Access access) {
    std::unique_ptr<Database> database(new Database);
    database->path_ = path;
    database->read_only_ = access == Access::ReadOnly;
    const int flags = (access == Access::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const std::string name = path.empty() ? ":memory:" : path.string();
    const int code = sqlite3_open_v2(name.c_str(), &database->handle_, flags, nullptr);
    if (code != SQLITE_OK) return fail(database->error(code));
    sqlite3_busy_handler(database->handle_, &onBusy, database.get());
    // The file may come from a stranger: its schema must not call functions, nor may SQL be smuggled into internals.
    sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    STUDIO_CHECK(database->execute(
        "PRAGMA page_size=8192; PRAGMA cache_size=-65536; PRAGMA temp_store=FILE; PRAGMA cell_size_check=ON"));
    return database;
}

int Database::onBusy(void* self, int attempt) {
    auto& database = *static_cast<Database*>(self);
    if (attempt * kBusyStep >= database.busy_timeout_ || database.interrupted()) return 0;
    std::this_thread::sleep_for(kBusyStep);
    return 1;
}

bool Database::interrupted() {
    return interruptible_ && interruptible_->over();
}

Database::~Database() {
    sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return fail(error(code));
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    Statement statement;
    statement.database_ = this;
    sqlite3_stmt* raw = nullptr;
    const int code =
        sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return fail(error(code));
    statement.statement_.reset(raw);
    return statement;
}

Result<std::int64_t> Database::integer(std::string_view sql) {
    STUDIO_TRY(Statement statement, prepare(sql));
    STUDIO_TRY(const bool row, statement.step());
    return row ? statement.integer(0) : 0;
}

std::int64_t Database::changes() const {
    return sqlite3_changes64(handle_);
}

Error Database::error(int code) const {
    const std::string store = path_.empty() ? "The message store in memory" : "The message store " + path_.string();
    const std::string reason = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    switch (code & 0xFF) {
        case SQLITE_INTERRUPT:
            if (interruptible_ && interruptible_->timedOut()) {
                return {ErrorCode::OutOfRange, "The search took longer than it may.",
                        "Narrow it down first, for example by language, or simplify its regular expression."};
            }
            return cancelled().value();
        case SQLITE_ABORT:
            return {ErrorCode::OutOfRange, "The regular expression takes too long on one of the messages.",
                    "Simplify it: a repetition inside a repetition, such as (a+)+, is the usual cause."};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            if (interruptible_ && interruptible_->stopped()) return cancelled().value();
            return {ErrorCode::Busy, store + " is being written by another program or window.",
                    "Wait until its import has finished, then try again."};
        case SQLITE_FULL:
            return {ErrorCode::Io, store + " cannot be written: the disk is full.",
                    "Make room on the disk; nothing was changed."};
        case SQLITE_NOTADB:
            return {ErrorCode::Corrupt, store + " is not a message store: the file is not an SQLite database.",
                    "Choose another file, or move this one away and import the data again."};
        case SQLITE_CORRUPT:
            return {ErrorCode::Corrupt, fmt::format("{} is damaged ({}).", store, reason),
                    "Restore a backup, or move the file away and import the data again."};
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return {ErrorCode::Io, fmt::format("{} cannot be changed ({}).", store, reason),
                    "Check the permissions of the file and its folder."};
        case SQLITE_CANTOPEN:
            return {ErrorCode::Io, fmt::format("{} cannot be opened ({}).", store, reason),
                    "Check that the folder exists and that you may read and write there."};
        case SQLITE_IOERR:
            return {ErrorCode::Io, fmt::format("{} cannot be read or written ({}).", store, reason),
                    "Check the disk and its free space, then try again."};
        case SQLITE_NOMEM:
            return {ErrorCode::OutOfMemory, "There is not enough memory for the message store.",
                    "Close other programs, then try again."};
        case SQLITE_TOOBIG:
            return {ErrorCode::OutOfRange, store + " cannot hold a text that long.", "Divide the message."};
        default:
            return {ErrorCode::Internal, fmt::format("{} does not answer ({}).", store, reason),
                    "This is a fault of the program; please report it with this message."};
    }
}

Interruptible::Interruptible(Database& database, const JobContext& job, std::chrono::milliseconds limit)
    : database_(database), job_(job) {
    if (limit.count() > 0) deadline_ = std::chrono::steady_clock::now() + limit;
    database_.interruptible_ = this;
    sqlite3_progress_handler(database_.handle(), kInstructionsBetweenChecks, &onProgress, this);
}

Interruptible::~Interruptible() {
    sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
    database_.interruptible_ = nullptr;
}

bool Interruptible::over() {
    if (job_.stopped()) return true;
    if (deadline_ && std::chrono::steady_clock::now() > *deadline_) timed_out_ = true;
    return timed_out_;
}

int Interruptible::onProgress(void* self) {
    return static_cast<Interruptible*>(self)->over() ? 1 : 0;
}

Result<Transaction> Transaction::begin(Database& database) {
    STUDIO_CHECK(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Result<void> Transaction::commit() {
    STUDIO_CHECK(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
}

Transaction::~Transaction() {
    // SQLite may have rolled back by itself (disk full): then there is nothing left to do, which is what the error
    // says.
    if (database_) (void)sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace studio::corpus
