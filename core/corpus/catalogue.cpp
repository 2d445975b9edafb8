#include "corpus/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "corpus/filter_sql.h"
#include "corpus/known_names.h"
#include "corpus/sqlite.h"

namespace studio::corpus {
namespace {

constexpr double kSpamFrom = 0.5;  // the mean of what people said

// Everything before the labels stands at the front of the row.
constexpr std::string_view kColumns =
    "SELECT id, tree, parent, orphan, deleted, role, rank, depth, lang, review_result, synthetic, label_quality,"
    " label_spam FROM messages ORDER BY id";

// A store's number → the place it got here.
using Places = std::unordered_map<std::int64_t, std::int32_t>;

void addQuality(Catalogue::Tree& tree, float quality) {
    if (!tree.best_quality || quality > *tree.best_quality) tree.best_quality = quality;
}

bool mayFollow(Role parent, Role role) {
    return role == (parent == Role::Prompter ? Role::Assistant : Role::Prompter);
}

}  // namespace

Result<Catalogue> Catalogue::load(Store& store, const JobContext& job) {
    Database& database = store.database();
    const Interruptible scope(database, job);
    STUDIO_TRY(Statement row, database.prepare(kColumns));
    Catalogue result;
    Places trees;
    std::vector<std::int64_t> parent_rows;
    std::vector<std::optional<float>> qualities;
    std::unordered_map<std::string, std::int32_t> languages;
    const auto count = [&](Trait trait, bool has) { result.traits_[static_cast<std::size_t>(trait)] += has; };
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) break;
        Entry entry;
        entry.row = row.integer(0);
        entry.orphan = row.integer(3) != 0;
        entry.deleted = row.integer(4) != 0;
        entry.role = roleOfNumber(row.integer(5));
        entry.rank = row.isNull(6) ? -1 : static_cast<std::int32_t>(row.integer(6));
        entry.depth = static_cast<std::uint16_t>(row.integer(7));
        const auto index = static_cast<std::int32_t>(result.entries_.size());
        const auto [place, added] = trees.emplace(row.integer(1), static_cast<std::int32_t>(result.trees_.size()));
        entry.tree = place->second;
        const bool begins = row.isNull(2) && !entry.orphan;
        if (added) {
            result.trees_.emplace_back();
            result.trees_.back().row = place->first;
        }
        Tree& tree = result.trees_[static_cast<std::size_t>(entry.tree)];
        ++tree.messages;
        tree.turns = std::max<std::uint16_t>(tree.turns, static_cast<std::uint16_t>(entry.depth + 1));
        const bool has_root = tree.first >= 0 && parent_rows[static_cast<std::size_t>(tree.first)] == 0 &&
                              !result.entries_[static_cast<std::size_t>(tree.first)].orphan;
        if (tree.first < 0 || (begins && !has_root)) {
            tree.first = index;
            const auto [language, unknown] =
                languages.emplace(row.text(8), static_cast<std::int32_t>(result.languages_.size()));
            if (unknown) result.languages_.push_back(language->first);
            tree.language = language->second;
        }
        count(Trait::Deleted, entry.deleted);
        count(Trait::NotReviewed, row.isNull(9));
        count(Trait::Rejected, !row.isNull(9) && row.integer(9) == 0);
        count(Trait::Synthetic, row.integer(10) != 0);
        count(Trait::Spam, !row.isNull(12) && row.real(12) >= kSpamFrom);
        parent_rows.push_back(row.isNull(2) ? 0 : row.integer(2));
        qualities.push_back(row.isNull(11) || entry.deleted ? std::nullopt
                                                            : std::optional(static_cast<float>(row.real(11))));
        result.entries_.push_back(entry);
    }
    for (std::size_t i = 0; i < result.entries_.size(); ++i) {
        Entry& entry = result.entries_[i];
        if (parent_rows[i] == 0) continue;
        entry.parent = result.indexOf(parent_rows[i]).value_or(-1);
        Tree& tree = result.trees_[static_cast<std::size_t>(entry.tree)];
        if (entry.parent == tree.first && entry.role == Role::Assistant && qualities[i])
            addQuality(tree, *qualities[i]);
    }
    result.by_depth_.resize(result.entries_.size());
    std::iota(result.by_depth_.begin(), result.by_depth_.end(), 0u);
    std::stable_sort(result.by_depth_.begin(), result.by_depth_.end(), [&](std::uint32_t a, std::uint32_t b) {
        return result.entries_[a].depth < result.entries_[b].depth;
    });
    return result;
}

std::optional<std::int32_t> Catalogue::indexOf(std::int64_t row) const {
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), row,
                                        [](const Entry& entry, std::int64_t wanted) { return entry.row < wanted; });
    if (found == entries_.end() || found->row != row) return std::nullopt;
    return static_cast<std::int32_t>(found - entries_.begin());
}

namespace {

Result<std::vector<bool>> matches(Store& store, const Catalogue& catalogue, const Filter& filter, const JobContext& job,
                                  std::chrono::milliseconds limit) {
    const auto& entries = catalogue.entries();
    if (filter.matchesEverything()) return std::vector<bool>(entries.size(), true);
    const FilterSql sql = filterSql(filter);
    if (sql.needs_words) STUDIO_CHECK(store.updateTextIndex(job));
    const Interruptible scope(store.database(), job, limit);
    STUDIO_TRY(Statement row, store.database().prepare(fmt::format(
                                  "SELECT m.id FROM messages m{} WHERE {} ORDER BY m.id",
                                  sql.needs_details ? " CROSS JOIN details d ON d.id = m.id" : "", sql.where)));
    sql.bind(row);
    std::vector<bool> result(entries.size());
    std::size_t at = 0;
    for (;;) {
        STUDIO_TRY(const bool more, row.step());
        if (!more) return result;
        const std::int64_t wanted = row.integer(0);
        while (at < entries.size() && entries[at].row < wanted) ++at;
        if (at < entries.size() && entries[at].row == wanted) result[at] = true;
    }
}

}  // namespace

Result<Selection> select(Store& store, const Catalogue& catalogue, const Filter& filter, const JobContext& job,
                         std::chrono::milliseconds limit) {
    STUDIO_TRY(const std::vector<bool> matched, matches(store, catalogue, filter, job, limit));
    const auto& entries = catalogue.entries();
    Selection result;
    result.verdicts.resize(entries.size());
    result.kept.resize(catalogue.trees().size());
    result.matched.resize(catalogue.trees().size());
    result.trainable.resize(catalogue.trees().size());
    std::vector<bool> in_order(entries.size()), begun(catalogue.trees().size());
    const bool deleted_allowed = filter.mentions("deleted"), orphans_allowed = filter.mentions("orphan");
    for (const std::uint32_t index : catalogue.byDepth()) {
        const Catalogue::Entry& entry = entries[index];
        const auto tree = static_cast<std::size_t>(entry.tree);
        const auto parent = static_cast<std::size_t>(entry.parent);
        Verdict verdict = Verdict::Kept;
        if (entry.deleted && !deleted_allowed)
            verdict = Verdict::Deleted;
        else if (entry.orphan && !orphans_allowed)
            verdict = Verdict::Orphan;
        else if (!matched[index])
            verdict = Verdict::Filtered;
        else if (entry.parent >= 0 && result.verdicts[parent] != Verdict::Kept)
            verdict = Verdict::Below;
        result.verdicts[index] = verdict;
        result.left_out.deleted += verdict == Verdict::Deleted;
        result.left_out.orphans += verdict == Verdict::Orphan;
        result.left_out.filtered += verdict == Verdict::Filtered;
        result.left_out.below += verdict == Verdict::Below;
        result.matched[tree] += matched[index];
        result.matched_messages += matched[index];
        if (verdict != Verdict::Kept) continue;
        ++result.messages;
        ++result.kept[tree];
        if (entry.parent < 0) {
            in_order[index] = !begun[tree] && entry.role != Role::Assistant;
            if (in_order[index]) begun[tree] = true;
        } else {
            in_order[index] = in_order[parent] && mayFollow(entries[parent].role, entry.role);
        }
        if (in_order[index] && entry.role == Role::Assistant) result.trainable[tree] = true;
    }
    for (std::size_t tree = 0; tree < result.kept.size(); ++tree) {
        result.conversations += result.kept[tree] > 0;
        result.trainable_conversations += result.trainable[tree];
    }
    return result;
}

}  // namespace studio::corpus
