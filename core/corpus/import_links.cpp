// The second half of an import: from parent ids to trees.
#include <fmt/format.h>

#include <algorithm>

#include "corpus/import_writer.h"
#include "corpus/schema.h"

namespace studio::corpus {

std::vector<Link> ImportWriter::linkAll() const {
    std::vector<LinkInput> inputs(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        inputs[i] = {.tree = entry.tree, .names_parent = !entry.parent.empty(), .role = entry.role};
        if (inputs[i].names_parent) inputs[i].parent = ids_.find(entry.parent).value_or(kNoMessage);
    }
    std::vector<Link> links = link(inputs);
    // A message of an earlier import is never taken away. If what comes now would do that (a parent that turns up in
    // another tree, closes a cycle or makes a tree too deep), the earlier orphans stay orphans.
    const auto lost = [&](std::size_t i) { return entries_[i].earlier && isRejected(links[i].fate); };
    bool any_lost = false;
    for (std::size_t i = 0; i < stored_links_.size(); ++i) any_lost = any_lost || lost(i);
    if (!any_lost) return links;
    for (std::size_t i = 0; i < stored_links_.size(); ++i)
        if (stored_links_[i].fate == Fate::Orphan) inputs[i].parent = kNoMessage;
    return link(inputs);
}

Result<Misplaced> ImportWriter::describe(const Entry& entry, const Link& link) {
    STUDIO_TRY(Statement row, database_->prepare("SELECT message_id, parent_id, text FROM details WHERE id = ?"));
    row.bind(1, entry.row);
    STUDIO_CHECK(row.step());
    return Misplaced{entry.line,
                     entry.offset,
                     std::string(row.text(0)),
                     std::string(row.text(1)),
                     std::string(row.text(2).substr(0, 256)),
                     link.fate,
                     link.parent_rejected};
}

Result<void> ImportWriter::remove(std::int64_t row) {
    remove_message_.bind(1, row);
    STUDIO_CHECK(remove_message_.run());
    remove_details_.bind(1, row);
    return remove_details_.run();
}

Result<void> ImportWriter::writeLinks(const std::vector<Link>& links, const JobContext& job) {
    STUDIO_TRY(Statement update,
               database_->prepare("UPDATE messages SET parent = ?, orphan = ?, depth = ?, replies = ?, same_role = ?"
                                  " WHERE id = ?"));
    for (std::size_t i = 0; i < links.size(); ++i) {
        const Link& link = links[i];
        if (isRejected(link.fate)) continue;
        const Link before = i < stored_links_.size() ? stored_links_[i] : Link{};
        const bool unchanged = link.parent == before.parent && link.replies == before.replies &&
                               link.depth == before.depth && link.fate == before.fate &&
                               link.same_role == before.same_role;
        if (unchanged) continue;
        if (job.stopped()) return cancelled();
        if (link.parent == kNoMessage)
            update.bind(1, nullptr);
        else
            update.bind(1, entries_[link.parent].row);
        update.bind(2, link.fate == Fate::Orphan);
        update.bind(3, std::int64_t{link.depth});
        update.bind(4, std::int64_t{link.replies});
        update.bind(5, link.same_role);
        update.bind(6, entries_[i].row);
        STUDIO_CHECK(update.run());
    }
    return {};
}

Result<void> ImportWriter::writeTrees() {
    STUDIO_TRY(Statement update, database_->prepare("UPDATE trees SET messages = ?1 WHERE id = ?2 AND messages <> ?1"));
    for (std::size_t i = 0; i < tree_rows_.size(); ++i) {
        update.bind(1, std::int64_t{tree_sizes_[i]});
        update.bind(2, tree_rows_[i]);
        STUDIO_CHECK(update.run());
    }
    return database_->execute("DELETE FROM trees WHERE messages = 0");
}

Result<LinkSummary> ImportWriter::finish(std::size_t max_listed, const JobContext& job) {
    job.report({"Building trees", 0, 0, "messages"});
    const std::vector<Link> links = linkAll();
    LinkSummary summary;
    std::vector<bool> tree_has_new(tree_rows_.size(), false);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        const Link& link = links[i];
        if (entry.earlier) {
            summary.adopted += stored_links_[i].fate == Fate::Orphan && link.fate == Fate::Reply;
            continue;
        }
        if (job.stopped()) return cancelled();
        if (link.fate == Fate::Orphan && ++summary.orphans <= max_listed) {
            STUDIO_TRY(Misplaced orphan, describe(entry, link));
            summary.listed_orphans.push_back(std::move(orphan));
        }
        if (isRejected(link.fate)) {
            if (++summary.rejected <= max_listed) {
                STUDIO_TRY(Misplaced rejected, describe(entry, link));
                summary.listed_rejected.push_back(std::move(rejected));
            }
            STUDIO_CHECK(remove(entry.row));
            --tree_sizes_[entry.tree];
            continue;
        }
        ++summary.messages;
        summary.roots += link.fate == Fate::Root;
        if (!tree_has_new[entry.tree]) ++summary.trees;
        tree_has_new[entry.tree] = true;
    }
    STUDIO_CHECK(writeLinks(links, job));
    STUDIO_CHECK(writeTrees());
    job.report({"Building indices", 0, 0, "messages"});
    STUDIO_CHECK(createIndices(*database_));
    return summary;
}

}  // namespace studio::corpus
