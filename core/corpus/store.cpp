#include "corpus/store.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "corpus/functions.h"
#include "corpus/known_names.h"
#include "corpus/schema.h"
#include "corpus/sqlite.h"
#include "io/file.h"

namespace studio::corpus {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMessageColumns =
    "SELECT d.id, d.message_id, d.parent_id, t.tree_id, d.text, m.role, m.lang, d.user_id, d.created_date,"
    " d.model_name, d.tree_state, m.review_count, m.review_result, m.rank, m.deleted, m.synthetic,"
    " m.orphan, m.depth, m.replies, m.length, d.labels, d.emojis, d.detoxify"
    " FROM details d JOIN messages m ON m.id = d.id JOIN trees t ON t.id = m.tree WHERE ";

std::optional<std::string> optionalString(const Statement& row, int column) {
    if (auto text = row.optionalText(column)) return std::string(*text);
    return std::nullopt;
}

std::optional<int> optionalInt(const Statement& row, int column) {
    if (auto value = row.optionalInteger(column)) return static_cast<int>(*value);
    return std::nullopt;
}

// What the importer wrote; anything else (an edited file) counts as no values.
Json parseValues(const Statement& row, int column) {
    Json values = Json::parse(row.text(column), nullptr, false);
    return values.is_object() ? values : Json::object();
}

void readValues(const Statement& row, Message& message) {
    const Json labels = parseValues(row, 20), emojis = parseValues(row, 21), detoxify = parseValues(row, 22);
    for (const auto& [name, pair] : labels.items()) {
        if (!pair.is_array() || pair.size() != 2) continue;
        Label label;
        if (pair[0].is_number()) label.value = pair[0].get<double>();
        if (pair[1].is_number_integer()) label.count = pair[1].get<int>();
        message.labels.emplace(name, label);
    }
    for (const auto& [name, count] : emojis.items())
        if (count.is_number_integer()) message.emojis.emplace(name, count.get<std::int64_t>());
    for (const auto& [name, value] : detoxify.items())
        if (value.is_number()) message.detoxify.emplace(name, value.get<double>());
}

Message readMessage(const Statement& row) {
    Message message;
    message.row = row.integer(0);
    message.message_id = row.text(1);
    message.parent_id = optionalString(row, 2);
    message.tree_id = row.text(3);
    message.text = row.text(4);
    message.role = roleOfNumber(row.integer(5));
    message.lang = optionalString(row, 6);
    message.user_id = optionalString(row, 7);
    message.created_date = optionalString(row, 8);
    message.model_name = optionalString(row, 9);
    message.tree_state = optionalString(row, 10);
    message.review_count = optionalInt(row, 11);
    if (auto result = row.optionalInteger(12)) message.review_result = *result != 0;
    message.rank = optionalInt(row, 13);
    message.deleted = row.integer(14) != 0;
    message.synthetic = row.integer(15) != 0;
    message.orphan = row.integer(16) != 0;
    message.depth = static_cast<int>(row.integer(17));
    message.replies = static_cast<int>(row.integer(18));
    message.length = row.integer(19);
    readValues(row, message);
    return message;
}

Result<std::optional<Message>> firstMessage(Statement& statement) {
    STUDIO_TRY(const bool found, statement.step());
    if (!found) return std::optional<Message>{};
    return std::optional<Message>(readMessage(statement));
}

}  // namespace

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::openFile(const std::filesystem::path& path, Access access) {
    const bool read_only = access == Access::ReadOnly;
    std::error_code ignored;
    if (read_only || std::filesystem::exists(path, ignored)) STUDIO_CHECK(io::regularFileSize(path));
    STUDIO_TRY(auto database,
               Database::open(path, read_only ? Database::Access::ReadOnly : Database::Access::ReadWrite));
    STUDIO_CHECK(migrate(*database, migrations()));
    if (!read_only) STUDIO_CHECK(database->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"));
    STUDIO_CHECK(addFunctions(*database));
    return Store(std::move(database));
}

Result<Store> Store::openMemory() {
    STUDIO_TRY(auto database, Database::open({}, Database::Access::ReadWrite));
    STUDIO_CHECK(migrate(*database, migrations()));
    STUDIO_CHECK(addFunctions(*database));
    return Store(std::move(database));
}

Result<StoreCounts> Store::counts() {
    STUDIO_TRY(Statement row, database_->prepare("SELECT count(*), (SELECT count(*) FROM trees),"
                                                 " total(parent IS NULL AND orphan = 0), total(orphan) FROM messages"));
    STUDIO_CHECK(row.step());
    return StoreCounts{row.integer(0), row.integer(1), row.integer(2), row.integer(3)};
}

Result<std::vector<Source>> Store::sources() {
    STUDIO_TRY(Statement row, database_->prepare("SELECT id, name, sha256, imported_at, bytes, lines, messages"
                                                 " FROM sources ORDER BY id"));
    std::vector<Source> sources;
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return sources;
        sources.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3)),
                           static_cast<std::uint64_t>(row.integer(4)), static_cast<std::uint64_t>(row.integer(5)),
                           static_cast<std::uint64_t>(row.integer(6))});
    }
}

Result<std::optional<Message>> Store::message(std::string_view message_id) {
    STUDIO_TRY(Statement row, database_->prepare(std::string(kMessageColumns) + "d.message_id = ?"));
    row.bind(1, message_id);
    return firstMessage(row);
}

Result<std::optional<Message>> Store::messageAt(std::int64_t id) {
    STUDIO_TRY(Statement row, database_->prepare(std::string(kMessageColumns) + "d.id = ?"));
    row.bind(1, id);
    return firstMessage(row);
}

Result<std::vector<Message>> Store::messagesOfTree(std::int64_t tree) {
    STUDIO_TRY(Statement row, database_->prepare(std::string(kMessageColumns) + "m.tree = ? ORDER BY m.id"));
    row.bind(1, tree);
    std::vector<Message> messages;
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return messages;
        messages.push_back(readMessage(row));
    }
}

Result<void> Store::check(const JobContext& job) {
    Interruptible scope(*database_, job);
    STUDIO_TRY(Statement row, database_->prepare("PRAGMA quick_check(1)"));
    STUDIO_TRY(const bool found, row.step());
    if (found && row.text(0) == "ok") return {};
    return fail(ErrorCode::Corrupt,
                fmt::format("The message store {} is damaged: {}.", database_->path().string(), row.text(0)),
                "Restore a backup, or move the file away and import the data again.");
}

}  // namespace studio::corpus
