#include "corpus/import_writer.h"

#include <fmt/format.h>

#include "corpus/known_names.h"
#include "corpus/schema.h"
#include "corpus/values_json.h"

namespace studio::corpus {
namespace {

constexpr std::string_view kInsertDetails =
    "INSERT INTO details(id, message_id, parent_id, user_id, created_date, model_name, tree_state, labels, emojis,"
    " detoxify, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

constexpr std::string_view kSame =
    "SELECT count(*) FROM details d JOIN messages m ON m.id = d.id WHERE d.id = ?"
    " AND d.message_id IS ? AND d.parent_id IS ? AND d.user_id IS ? AND d.created_date IS ? AND d.model_name IS ?"
    " AND d.tree_state IS ? AND d.labels IS ? AND d.emojis IS ? AND d.detoxify IS ? AND d.text IS ?"
    " AND m.tree IS ? AND m.role IS ? AND m.lang IS ? AND m.rank IS ? AND m.review_count IS ?"
    " AND m.review_result IS ? AND m.deleted IS ? AND m.synthetic IS ?";

std::string insertMessageSql() {
    std::string columns =
        "id, source, tree, role, lang, rank, review_count, review_result, deleted, synthetic, created,"
        " length";
    std::string marks = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";
    for (const std::string_view label : kLabels) {
        columns += fmt::format(", label_{}", label);
        marks += ", ?";
    }
    return fmt::format("INSERT INTO messages({}) VALUES ({})", columns, marks);
}

std::int64_t codePoints(std::string_view text) {
    std::int64_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
}

std::optional<std::string_view> orNull(const std::string& json) {
    if (json.empty()) return std::nullopt;
    return json;
}

}  // namespace

Result<ImportWriter> ImportWriter::begin(Database& database, std::int64_t source) {
    ImportWriter writer(database, source);
    STUDIO_CHECK(writer.loadTrees());
    STUDIO_CHECK(writer.loadMessages());
    STUDIO_CHECK(dropIndices(database));
    STUDIO_CHECK(writer.prepare());
    return writer;
}

Result<void> ImportWriter::loadTrees() {
    STUDIO_TRY(Statement row, database_->prepare("SELECT id, tree_id, messages FROM trees ORDER BY id"));
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return {};
        tree_ids_.add(IdKey::of(row.text(1)));
        tree_rows_.push_back(row.integer(0));
        tree_sizes_.push_back(static_cast<std::uint32_t>(row.integer(2)));
        next_tree_row_ = row.integer(0) + 1;
    }
}

Result<void> ImportWriter::loadMessages() {
    std::vector<std::uint32_t> tree_of_row(static_cast<std::size_t>(next_tree_row_));
    for (std::uint32_t i = 0; i < tree_rows_.size(); ++i) tree_of_row[static_cast<std::size_t>(tree_rows_[i])] = i;
    STUDIO_TRY(
        Statement row,
        database_->prepare("SELECT d.id, d.message_id, d.parent_id, m.tree, m.role, m.replies, m.depth, m.orphan,"
                           " m.same_role FROM details d JOIN messages m ON m.id = d.id ORDER BY d.id"));
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) break;
        ids_.add(IdKey::of(row.text(1)));
        Entry entry;
        entry.row = row.integer(0);
        if (const auto parent = row.optionalText(2)) entry.parent = IdKey::of(*parent);
        entry.tree = tree_of_row.at(static_cast<std::size_t>(row.integer(3)));
        entry.role = static_cast<std::uint8_t>(row.integer(4));
        entry.earlier = true;
        entries_.push_back(entry);
        Link link;
        link.replies = static_cast<std::uint32_t>(row.integer(5));
        link.depth = static_cast<std::uint16_t>(row.integer(6));
        link.fate = entry.parent.empty() ? Fate::Root : row.integer(7) != 0 ? Fate::Orphan : Fate::Reply;
        link.same_role = row.integer(8) != 0;
        stored_links_.push_back(link);
        next_row_ = entry.row + 1;
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (stored_links_[i].fate == Fate::Reply)
            stored_links_[i].parent = ids_.find(entries_[i].parent).value_or(kNoMessage);
    }
    return {};
}

Result<void> ImportWriter::prepare() {
    STUDIO_TRY(insert_details_, database_->prepare(kInsertDetails));
    STUDIO_TRY(insert_message_, database_->prepare(insertMessageSql()));
    STUDIO_TRY(insert_tree_, database_->prepare("INSERT INTO trees(id, tree_id) VALUES (?, ?)"));
    STUDIO_TRY(same_, database_->prepare(kSame));
    STUDIO_TRY(remove_message_, database_->prepare("DELETE FROM messages WHERE id = ?"));
    STUDIO_TRY(remove_details_, database_->prepare("DELETE FROM details WHERE id = ?"));
    return {};
}

Result<std::uint32_t> ImportWriter::treeOf(std::string_view tree_id) {
    const auto [index, added] = tree_ids_.add(IdKey::of(tree_id));
    if (added) {
        insert_tree_.bind(1, next_tree_row_);
        insert_tree_.bind(2, tree_id);
        STUDIO_CHECK(insert_tree_.run());
        tree_rows_.push_back(next_tree_row_++);
        tree_sizes_.push_back(0);
    }
    return index;
}

void ImportWriter::bindDetails(Statement& statement, const MessageFields& fields) {
    labelsJson(fields.labels, labels_);
    emojisJson(fields.emojis, emojis_);
    detoxifyJson(fields.detoxify, detoxify_);
    statement.bind(2, fields.message_id);
    statement.bind(3, fields.parent_id);
    statement.bind(4, fields.user_id);
    statement.bind(5, fields.created_date);
    statement.bind(6, fields.model_name);
    statement.bind(7, fields.tree_state);
    statement.bind(8, orNull(labels_));
    statement.bind(9, orNull(emojis_));
    statement.bind(10, orNull(detoxify_));
    statement.bind(11, fields.text);
}

void ImportWriter::bindNumbers(Statement& statement, int first, std::uint32_t tree, const MessageFields& fields) {
    statement.bind(first, tree_rows_[tree]);
    statement.bind(first + 1, roleNumber(fields.role));
    statement.bind(first + 2, fields.lang);
    statement.bind(first + 3, fields.rank);
    statement.bind(first + 4, fields.review_count);
    statement.bind(first + 5, fields.review_result);
    statement.bind(first + 6, fields.deleted);
    statement.bind(first + 7, fields.synthetic);
}

Result<void> ImportWriter::insert(std::int64_t row, std::uint32_t tree, const MessageFields& fields) {
    insert_details_.bind(1, row);
    bindDetails(insert_details_, fields);
    STUDIO_CHECK(insert_details_.run());

    insert_message_.bind(1, row);
    insert_message_.bind(2, source_);
    bindNumbers(insert_message_, 3, tree, fields);
    insert_message_.bind(11, fields.created);
    insert_message_.bind(12, codePoints(fields.text));
    for (int i = 0; i < static_cast<int>(kLabels.size()); ++i) insert_message_.bind(13 + i, nullptr);
    for (const LabelField& label : fields.labels) {
        if (const auto known = knownLabel(label.name)) insert_message_.bind(13 + static_cast<int>(*known), label.value);
    }
    return insert_message_.run();
}

Result<bool> ImportWriter::equalsStored(std::int64_t row, std::uint32_t tree, const MessageFields& fields) {
    same_.bind(1, row);
    bindDetails(same_, fields);
    bindNumbers(same_, 12, tree, fields);
    STUDIO_CHECK(same_.step());
    const bool equal = same_.integer(0) == 1;
    same_.reset();
    return equal;
}

Result<Added> ImportWriter::add(const MessageFields& fields, std::uint64_t line, std::uint64_t offset) {
    const auto [index, added] = ids_.add(IdKey::of(fields.message_id));
    STUDIO_TRY(const std::uint32_t tree, treeOf(*fields.tree_id));
    if (!added) {
        STUDIO_TRY(const bool equal, equalsStored(entries_[index].row, tree, fields));
        return equal ? Added::Merged : Added::Conflict;
    }
    Entry entry;
    entry.row = next_row_++;
    if (fields.parent_id) entry.parent = IdKey::of(*fields.parent_id);
    entry.tree = tree;
    entry.role = static_cast<std::uint8_t>(roleNumber(fields.role));
    entry.line = line;
    entry.offset = offset;
    entries_.push_back(entry);
    ++tree_sizes_[tree];
    STUDIO_CHECK(insert(entry.row, tree, fields));
    return Added::Stored;
}

}  // namespace studio::corpus
