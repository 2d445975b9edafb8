#include "corpus/forest.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "corpus/sqlite.h"

namespace studio::corpus {
namespace {

using Entry = Catalogue::Entry;

void parentsFirst(std::vector<std::int32_t>& nodes, const std::vector<Entry>& entries) {
    const auto entry = [&](std::int32_t index) -> const Entry& { return entries[static_cast<std::size_t>(index)]; };
    const bool already =
        std::all_of(nodes.begin(), nodes.end(), [&](std::int32_t index) { return entry(index).parent < index; });
    if (already) return;
    std::stable_sort(nodes.begin(), nodes.end(),
                     [&](std::int32_t a, std::int32_t b) { return entry(a).depth < entry(b).depth; });
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

    Result<Tree> read(const Catalogue& catalogue, std::vector<std::int32_t> nodes) {
        parentsFirst(nodes, catalogue.entries());
        const auto entry = [&](std::int32_t i) -> const Entry& {
            return catalogue.entries()[static_cast<std::size_t>(i)];
        };
        Tree tree;
        tree_.bind(1, catalogue.trees()[static_cast<std::size_t>(entry(nodes.front()).tree)].row);
        STUDIO_CHECK(tree_.step());
        tree.id = tree_.text(0);
        tree_.reset();
        std::map<std::int32_t, int> place;  // of an entry in the tree
        for (const std::int32_t index : nodes) {
            STUDIO_TRY(Node node, readNode(entry(index)));
            if (const auto parent = place.find(entry(index).parent); parent != place.end())
                node.parent = parent->second;
            place.emplace(index, static_cast<int>(tree.nodes.size()));
            tree.nodes.push_back(std::move(node));
        }
        return tree;
    }

  private:
    Result<Node> readNode(const Entry& entry) {
        message_.bind(1, entry.row);
        STUDIO_CHECK(message_.step());
        Node node;
        node.message_id = message_.text(0);
        node.text = message_.text(1);
        node.lang = message_.text(2);
        node.role = entry.role;
        if (entry.rank >= 0) node.rank = entry.rank;
        node.row = entry.row;
        message_.reset();
        return node;
    }

    Statement tree_, message_;
};

}  // namespace

Result<Forest> readForest(Store& store, const Catalogue& catalogue, const Selection& selection,
                          const std::vector<std::int32_t>& trees, const JobContext& job) {
    std::vector<std::int32_t> place(catalogue.trees().size(), -1);
    for (std::size_t i = 0; i < trees.size(); ++i)
        place[static_cast<std::size_t>(trees[i])] = static_cast<std::int32_t>(i);
    std::vector<std::vector<std::int32_t>> nodes(trees.size());
    std::vector<std::size_t> order;  // by first kept message
    for (std::size_t i = 0; i < catalogue.entries().size(); ++i) {
        const std::int32_t tree = place[static_cast<std::size_t>(catalogue.entries()[i].tree)];
        if (tree < 0 || selection.verdicts[i] != Verdict::Kept) continue;
        auto& of_tree = nodes[static_cast<std::size_t>(tree)];
        if (of_tree.empty()) order.push_back(static_cast<std::size_t>(tree));
        of_tree.push_back(static_cast<std::int32_t>(i));
    }
    const Interruptible scope(store.database(), job);
    STUDIO_TRY(TreeReader reader, TreeReader::open(store.database()));
    Forest forest;
    for (const std::size_t i : order) {
        if (job.stopped()) return cancelled();
        STUDIO_TRY(Tree tree, reader.read(catalogue, std::move(nodes[i])));
        forest.messages += static_cast<std::int64_t>(tree.nodes.size());
        forest.trees.push_back(std::move(tree));
    }
    forest.left_out = selection.left_out;
    return forest;
}

Result<Forest> loadForest(Store& store, const Filter& filter, const JobContext& job) {
    STUDIO_TRY(const Catalogue catalogue, Catalogue::load(store, job));
    STUDIO_TRY(const Selection selection, select(store, catalogue, filter, job));
    std::vector<std::int32_t> all(catalogue.trees().size());
    std::iota(all.begin(), all.end(), 0);
    return readForest(store, catalogue, selection, all, job);
}

}  // namespace studio::corpus
