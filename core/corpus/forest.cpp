#include "corpus/forest.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "corpus/filter_sql.h"
#include "corpus/known_names.h"
#include "corpus/sqlite.h"

namespace studio::corpus {
namespace {

enum class Verdict : std::uint8_t { Unknown, Kept, Deleted, Orphan, Filtered, Below };

// A stored message without its texts.
struct Skeleton {
    std::int64_t row = 0, parent_row = 0;  // 0: none
    std::int64_t tree = 0;
    std::int32_t rank = -1;
    std::uint16_t depth = 0;
    Role role = Role::Prompter;
    Verdict verdict = Verdict::Unknown;
};

Verdict ownVerdict(const Statement& row, bool deleted_allowed, bool orphans_allowed) {
    if (row.integer(6) != 0 && !deleted_allowed) return Verdict::Deleted;
    if (row.integer(7) != 0 && !orphans_allowed) return Verdict::Orphan;
    return row.integer(8) != 0 ? Verdict::Unknown : Verdict::Filtered;
}

Result<std::vector<Skeleton>> readSkeletons(Database& database, const Filter& filter, const FilterSql& sql) {
    STUDIO_TRY(Statement row, database.prepare(fmt::format(
                                  "SELECT m.id, m.parent, m.tree, m.rank, m.depth, m.role, m.deleted, m.orphan,"
                                  " ({}) FROM messages m{} ORDER BY m.id",
                                  sql.where, sql.needs_details ? " CROSS JOIN details d ON d.id = m.id" : "")));
    sql.bind(row);
    const bool deleted_allowed = filter.mentions("deleted"), orphans_allowed = filter.mentions("orphan");
    std::vector<Skeleton> messages;
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return messages;
        Skeleton message;
        message.row = row.integer(0);
        message.parent_row = row.integer(1);
        message.tree = row.integer(2);
        message.rank = row.isNull(3) ? -1 : static_cast<std::int32_t>(row.integer(3));
        message.depth = static_cast<std::uint16_t>(row.integer(4));
        message.role = roleOfNumber(row.integer(5));
        message.verdict = ownVerdict(row, deleted_allowed, orphans_allowed);
        messages.push_back(message);
    }
}

// Parents are above their replies in depth, wherever they stand in the file.
std::vector<std::uint32_t> byDepth(const std::vector<Skeleton>& messages) {
    std::vector<std::uint32_t> order(messages.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return messages[a].depth < messages[b].depth; });
    return order;
}

const Skeleton* atRow(const std::vector<Skeleton>& messages, std::int64_t row) {
    const auto found =
        std::lower_bound(messages.begin(), messages.end(), row,
                         [](const Skeleton& message, std::int64_t wanted) { return message.row < wanted; });
    return found != messages.end() && found->row == row ? &*found : nullptr;
}

void judge(std::vector<Skeleton>& messages) {
    for (const std::uint32_t index : byDepth(messages)) {
        Skeleton& message = messages[index];
        if (message.verdict != Verdict::Unknown) continue;
        const Skeleton* parent = message.parent_row ? atRow(messages, message.parent_row) : nullptr;
        message.verdict = !parent || parent->verdict == Verdict::Kept ? Verdict::Kept : Verdict::Below;
    }
}

LeftOut count(const std::vector<Skeleton>& messages) {
    LeftOut left_out;
    for (const Skeleton& message : messages) {
        left_out.deleted += message.verdict == Verdict::Deleted;
        left_out.orphans += message.verdict == Verdict::Orphan;
        left_out.filtered += message.verdict == Verdict::Filtered;
        left_out.below += message.verdict == Verdict::Below;
    }
    return left_out;
}

// The kept messages of every tree, trees by their first kept message.
std::vector<std::vector<const Skeleton*>> groupByTree(const std::vector<Skeleton>& messages) {
    std::vector<std::vector<const Skeleton*>> trees;
    std::map<std::int64_t, std::size_t> index;
    for (const Skeleton& message : messages) {
        if (message.verdict != Verdict::Kept) continue;
        const auto [place, added] = index.emplace(message.tree, trees.size());
        if (added) trees.emplace_back();
        trees[place->second].push_back(&message);
    }
    return trees;
}

void parentsFirst(std::vector<const Skeleton*>& nodes) {
    const bool already =
        std::all_of(nodes.begin(), nodes.end(), [](const Skeleton* m) { return m->parent_row < m->row; });
    if (already) return;
    std::stable_sort(nodes.begin(), nodes.end(),
                     [](const Skeleton* a, const Skeleton* b) { return a->depth < b->depth; });
}

class TreeReader {
  public:
    static Result<TreeReader> open(Database& database) {
        TreeReader reader;
        STUDIO_TRY(reader.tree_, database.prepare("SELECT tree_id FROM trees WHERE id = ?"));
        STUDIO_TRY(reader.message_, database.prepare("SELECT d.message_id, d.text, m.lang FROM details d"
                                                     " JOIN messages m ON m.id = d.id WHERE d.id = ?"));
        return reader;
    }

    Result<Tree> read(const std::vector<const Skeleton*>& skeletons) {
        Tree tree;
        tree_.bind(1, skeletons.front()->tree);
        STUDIO_CHECK(tree_.step());
        tree.id = tree_.text(0);
        tree_.reset();
        std::map<std::int64_t, int> place;  // row → index
        for (const Skeleton* skeleton : skeletons) {
            STUDIO_TRY(Node node, readNode(*skeleton));
            if (const auto parent = place.find(skeleton->parent_row); parent != place.end())
                node.parent = parent->second;
            place.emplace(skeleton->row, static_cast<int>(tree.nodes.size()));
            tree.nodes.push_back(std::move(node));
        }
        return tree;
    }

  private:
    Result<Node> readNode(const Skeleton& skeleton) {
        message_.bind(1, skeleton.row);
        STUDIO_CHECK(message_.step());
        Node node;
        node.message_id = message_.text(0);
        node.text = message_.text(1);
        node.lang = message_.text(2);
        node.role = skeleton.role;
        if (skeleton.rank >= 0) node.rank = skeleton.rank;
        node.row = skeleton.row;
        message_.reset();
        return node;
    }

    Statement tree_, message_;
};

}  // namespace

Result<Forest> loadForest(Store& store, const Filter& filter, const JobContext& job) {
    const FilterSql sql = filterSql(filter);
    if (sql.needs_words) STUDIO_CHECK(store.updateTextIndex(job));
    Database& database = store.database();
    const Interruptible scope(database, job);
    STUDIO_TRY(std::vector<Skeleton> messages, readSkeletons(database, filter, sql));
    judge(messages);
    Forest forest;
    forest.left_out = count(messages);
    STUDIO_TRY(TreeReader reader, TreeReader::open(database));
    for (std::vector<const Skeleton*>& skeletons : groupByTree(messages)) {
        if (job.stopped()) return cancelled();
        parentsFirst(skeletons);
        STUDIO_TRY(Tree tree, reader.read(skeletons));
        forest.messages += static_cast<std::int64_t>(tree.nodes.size());
        forest.trees.push_back(std::move(tree));
    }
    return forest;
}

}  // namespace studio::corpus
