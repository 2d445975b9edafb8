#include "corpus/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "corpus/conversation_reader.h"
#include "corpus/import_writer.h"
#include "corpus/json_line.h"
#include "corpus/sqlite.h"
#include "io/file.h"
#include "io/line_reader.h"
#include "io/sha256.h"
#include "text/utf8.h"

namespace studio::corpus {
namespace {

constexpr std::size_t kExcerpt = 120;               // bytes
constexpr std::uint64_t kProgressStep = 512 << 10;  // bytes

// Cut at a character's border; what is not UTF-8 or not printable as one line becomes "?" or a space.
std::string excerptOf(std::string_view line) {
    std::string out;
    while (!line.empty() && out.size() < kExcerpt) {
        const text::CodePoint point = text::firstCodePoint(line);
        const auto length = static_cast<std::size_t>(point.length);
        if (!point.valid)
            out += '?';
        else if (point.value < 0x20 || point.value == 0x7F)
            out += ' ';
        else
            out += line.substr(0, length);
        line.remove_prefix(length);
    }
    if (!line.empty()) out += "…";
    return out;
}

bool isBlank(std::string_view line) {
    return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

// Formats that people have the same data in, told by their first bytes.
Result<void> refuseOtherFormats(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    char bytes[8] = {};
    file.read(bytes, sizeof bytes);
    const std::string_view start(bytes, static_cast<std::size_t>(file.gcount()));
    if (start.starts_with("PAR1")) {
        return fail(ErrorCode::Unsupported, fmt::format("{} is a Parquet file, which is not read here.", path.string()),
                    "The same dataset repository has it as JSON Lines: for OpenAssistant/oasst1 fetch "
                    "2023-04-12_oasst_ready.messages.jsonl.gz.");
    }
    const bool zip = start.starts_with("PK\x03\x04"), zstd = start.starts_with("\x28\xB5\x2F\xFD");
    if (zip || zstd || start.starts_with("BZh") ||
        start.starts_with("\xFD"
                          "7zXZ")) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("{} is a compressed file of a kind not read here.", path.string()),
                    "Unpack it; .jsonl and .jsonl.gz are read.");
    }
    return {};
}

struct FileState {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type time;
    bool operator==(const FileState&) const = default;
};

FileState stateOf(const std::filesystem::path& path) {
    std::error_code ignored;  // a file that vanished has another state than it had
    return {std::filesystem::file_size(path, ignored), std::filesystem::last_write_time(path, ignored)};
}

std::string misplacedReason(const Misplaced& message) {
    switch (message.fate) {
        case Fate::SelfParent:
            return "It names itself as its parent.";
        case Fate::Cycle:
            return fmt::format("Following its parents leads back to itself (by way of {}).", message.parent_id);
        case Fate::OtherTree:
            return fmt::format("Its parent {} belongs to another tree.", message.parent_id);
        case Fate::TooDeep:
            return fmt::format("It is more than {} messages deep in its conversation.", kMaxDepth);
        default:
            break;
    }
    return message.parent_rejected ? fmt::format("Its parent {} was rejected.", message.parent_id)
                                   : fmt::format("Its parent {} is not in the file.", message.parent_id);
}

// A first import writes a store whose every page is new: a rollback journal then holds next to nothing, where a
// write-ahead log would hold everything once more. Readers, of which an empty store has none, would be shut out.
class BulkJournal {
  public:
    static Result<BulkJournal> begin(Database& database, bool shared) {
        STUDIO_TRY(const std::int64_t filled, database.integer("SELECT EXISTS (SELECT 1 FROM messages)"));
        BulkJournal journal;
        if (shared || filled || database.inMemory() || database.readOnly()) return journal;
        journal.database_ = &database;
        (void)database.execute("PRAGMA journal_mode=DELETE");  // somebody else has it open: then the log stays
        return journal;
    }
    BulkJournal(BulkJournal&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    BulkJournal& operator=(BulkJournal&&) = delete;
    ~BulkJournal() {
        if (database_) (void)database_->execute("PRAGMA journal_mode=WAL");  // or when the store is opened next
    }

  private:
    BulkJournal() = default;
    Database* database_ = nullptr;
};

// The file's hash, taken beside the import on a thread of its own: it is a tenth of the work. Stopped and joined by the
// destructor.
class HashBeside {
  public:
    explicit HashBeside(const std::filesystem::path& path)
        : thread_([this, path](std::stop_token stop) {
              try {
                  result_ = io::sha256File(path, stop);
              } catch (const std::exception& e) {
                  result_ = fail(ErrorCode::Internal, fmt::format("{} cannot be hashed ({}).", path.string(), e.what()),
                                 "Try again.");
              }
          }) {}

    Result<std::string> wait() {
        thread_.join();
        return std::move(result_);
    }

  private:
    Result<std::string> result_;
    std::jthread thread_;
};

class Import : private MessageSink {
  public:
    Import(Store& store, const std::filesystem::path& path, const ImportOptions& options, const JobContext& job)
        : database_(store.database()), path_(path), options_(options), job_(job) {}

    Result<ImportReport> run();

  private:
    Result<bool> alreadyImported(std::uint64_t size);
    Result<void> importLines();
    Result<void> readLines();
    Result<void> readLine(const io::Line& line);
    Result<void> truncated(Error error);
    Result<void> checkFound() const;
    Result<void> linkMessages();
    Result<void> writeSource();
    void reportProgress(const io::LineReader& reader);

    Result<void> add(const MessageFields& fields) override;
    void reject(std::string_view message_id, std::string reason) override;
    DroppedValues& dropped() override { return report_.dropped_values; }

    Database& database_;
    const std::filesystem::path& path_;
    const ImportOptions& options_;
    const JobContext& job_;
    ImportReport report_;
    std::optional<ImportWriter> writer_;
    std::int64_t source_ = 0;
    JsonLineParser parser_;
    ConversationReader reader_;
    IdTable rejected_ids_;
    io::Line line_;  // at hand
    std::uint64_t stored_ = 0, reported_bytes_ = 0;
};

void Import::reject(std::string_view message_id, std::string reason) {
    if (!message_id.empty()) rejected_ids_.add(IdKey::of(message_id));
    if (++report_.rejected_count > options_.max_listed) return;
    report_.rejected.push_back(
        {line_.number, line_.offset, std::string(message_id.substr(0, 256)), std::move(reason), excerptOf(line_.text)});
}

Result<void> Import::add(const MessageFields& fields) {
    STUDIO_TRY(const Added added, writer_->add(fields, line_.number, line_.offset));
    if (added == Added::Stored) ++stored_;
    if (added == Added::Merged) ++report_.merged;
    if (added == Added::Conflict) reject(fields.message_id, "Another message with this message_id is stored already.");
    return {};
}

Result<void> Import::readLine(const io::Line& line) {
    line_ = line;
    if (line.too_long) {
        reject({}, fmt::format("It is longer than {} MB.", options_.max_line >> 20));
        return {};
    }
    // Files joined one behind the other have byte order marks in the middle.
    if (line_.text.starts_with("\xEF\xBB\xBF")) {
        line_.text.remove_prefix(3);
        line_.offset += 3;
    }
    if (isBlank(line_.text)) return {};
    const auto object = parser_.parse(line_.text, line_.offset);
    if (object) return reader_.read(*object, {line_.text, line_.number}, *this);
    if (line.unterminated) {
        return truncated({ErrorCode::Corrupt,
                          fmt::format("{} breaks off: its last line, line {} at byte {}, is not complete.",
                                      path_.string(), line.number, line.offset),
                          "The file was not copied completely; copy or download it again."});
    }
    if (line.number == 1 && (line_.text == "[" || line_.text == "{")) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("{} is one JSON document over several lines; JSON Lines has one object on each line.",
                                path_.string()),
                    "Turn it into JSON Lines, for example with: jq -c '.[]' in.json > out.jsonl");
    }
    reject({}, object.error());
    return {};
}

// The good part is imported only if the person agreed to that.
Result<void> Import::truncated(Error error) {
    if (!options_.accept_truncated) {
        error.hint += " Or import the part before it.";
        return fail(std::move(error));
    }
    report_.truncated = std::move(error.message);
    return {};
}

void Import::reportProgress(const io::LineReader& reader) {
    const std::uint64_t bytes = reader.bytesRead();
    if (bytes < reported_bytes_ + kProgressStep) return;
    reported_bytes_ = bytes;
    job_.report({"Reading messages", bytes, reader.fileSize(), "bytes"});
}

Result<void> Import::readLines() {
    STUDIO_TRY(io::LineReader reader, io::LineReader::open(path_, {options_.max_line, options_.max_expanded}));
    report_.bytes = reader.fileSize();
    for (;;) {
        if (job_.stopped()) return cancelled();
        auto line = reader.next();
        if (!line) {
            if (line.error().code != ErrorCode::Corrupt) return fail(std::move(line).error());
            return truncated(std::move(line).error());
        }
        if (!*line) return {};
        report_.lines = (*line)->number;
        STUDIO_CHECK(readLine(**line));
        reportProgress(reader);
    }
}

// A file that was imported before has the size of one that was; only then its hash is worth waiting for.
Result<bool> Import::alreadyImported(std::uint64_t size) {
    STUDIO_TRY(Statement row, database_.prepare("SELECT sha256 FROM sources WHERE bytes = ?"));
    row.bind(1, static_cast<std::int64_t>(size));
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return false;
        if (report_.sha256.empty()) {
            STUDIO_TRY(report_.sha256, io::sha256File(path_, job_.stop));
        }
        if (row.text(0) == report_.sha256) break;
    }
    report_.already_imported = true;
    return true;
}

Result<void> Import::importLines() {
    std::optional<HashBeside> hash;
    if (report_.sha256.empty()) hash.emplace(path_);
    STUDIO_TRY(source_, database_.integer("SELECT coalesce(max(id), 0) + 1 FROM sources"));
    STUDIO_TRY(ImportWriter writer, ImportWriter::begin(database_, source_));
    writer_.emplace(std::move(writer));
    STUDIO_CHECK(readLines());
    STUDIO_CHECK(checkFound());
    STUDIO_CHECK(linkMessages());
    if (hash) {
        STUDIO_TRY(report_.sha256, hash->wait());
    }
    STUDIO_CHECK(writeSource());
    writer_.reset();
    return {};
}

Result<void> Import::checkFound() const {
    if (stored_ + report_.merged > 0) return {};
    Error error{ErrorCode::NotFound, fmt::format("No conversations were found in {}.", path_.string()),
                "Choose a JSON Lines file of OASST messages or trees, or of chats."};
    if (!report_.rejected.empty()) {
        const Rejected& first = report_.rejected.front();
        error.message += fmt::format(" {} of its {} lines were rejected; line {}: {}", report_.rejected_count,
                                     report_.lines, first.line, first.reason);
    }
    return fail(std::move(error));
}

Result<void> Import::linkMessages() {
    STUDIO_TRY(const LinkSummary links, writer_->finish(options_.max_listed, job_));
    report_.messages = links.messages;
    report_.trees = links.trees;
    report_.roots = links.roots;
    report_.adopted = links.adopted;
    report_.orphan_count = links.orphans;
    for (const Misplaced& orphan : links.listed_orphans) {
        Misplaced told = orphan;
        told.parent_rejected = told.parent_rejected || rejected_ids_.find(IdKey::of(orphan.parent_id));
        report_.orphans.push_back({orphan.line, orphan.message_id, orphan.parent_id, misplacedReason(told)});
    }
    report_.rejected_count += links.rejected;
    for (const Misplaced& message : links.listed_rejected) {
        report_.rejected.push_back(
            {message.line, message.offset, message.message_id, misplacedReason(message), excerptOf(message.text)});
    }
    std::stable_sort(report_.rejected.begin(), report_.rejected.end(),
                     [](const Rejected& a, const Rejected& b) { return a.line < b.line; });
    if (report_.rejected.size() > options_.max_listed) report_.rejected.resize(options_.max_listed);
    return {};
}

Result<void> Import::writeSource() {
    STUDIO_TRY(Statement insert,
               database_.prepare("INSERT INTO sources(id, sha256, name, bytes, lines, messages, imported_at)"
                                 " VALUES (?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))"));
    insert.bind(1, source_);
    insert.bind(2, std::string_view(report_.sha256));
    insert.bind(3, std::string_view(report_.file));
    insert.bind(4, static_cast<std::int64_t>(report_.bytes));
    insert.bind(5, static_cast<std::int64_t>(report_.lines));
    insert.bind(6, static_cast<std::int64_t>(report_.messages));
    return insert.run();
}

Result<ImportReport> Import::run() {
    const auto start = std::chrono::steady_clock::now();
    report_.file = path_.filename().string();
    STUDIO_TRY(const std::uint64_t size, io::regularFileSize(path_));
    STUDIO_CHECK(refuseOtherFormats(path_));
    const FileState before = stateOf(path_);
    const Interruptible scope(database_, job_);
    STUDIO_TRY(const BulkJournal journal, BulkJournal::begin(database_, options_.shared));
    STUDIO_TRY(Transaction transaction, Transaction::begin(database_));
    STUDIO_TRY(const bool known, alreadyImported(size));
    if (!known) {
        STUDIO_CHECK(importLines());
        if (!(stateOf(path_) == before)) {
            return fail(ErrorCode::Io,
                        fmt::format("{} was changed while it was read; nothing was imported.", path_.string()),
                        "Wait until the other program has finished writing, then try again.");
        }
        STUDIO_CHECK(transaction.commit());
    }
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(report_);
}

}  // namespace

Result<ImportReport> importFile(Store& store, const std::filesystem::path& path, const ImportOptions& options,
                                const JobContext& job) {
    try {
        return Import(store, path, options, job).run();
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, fmt::format("There is not enough memory to import {}.", path.string()),
                    "Close other programs, or divide the file.");
    }
}

}  // namespace studio::corpus
