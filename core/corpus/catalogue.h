// All messages of a store without their texts, kept in memory: what lists, facets and datasets choose from.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/filter.h"
#include "corpus/message.h"
#include "corpus/store.h"

namespace studio::corpus {

// What becomes of a message under a filter: the first that applies.
enum class Verdict : std::uint8_t {
    Kept,
    Deleted,
    Orphan,
    Filtered,  // the filter does not match it
    Below,     // it stands below a message that is left out
};

// Messages that are left out, each counted once.
struct LeftOut {
    std::int64_t deleted = 0;
    std::int64_t orphans = 0;
    std::int64_t filtered = 0;
    std::int64_t below = 0;
    std::int64_t total() const { return deleted + orphans + filtered + below; }
};

// Messages that people often leave out, whatever the filter says now.
enum class Trait : std::uint8_t { Deleted, Spam, Rejected, NotReviewed, Synthetic };
inline constexpr std::size_t kTraits = 5;

class Catalogue {
  public:
    struct Entry {
        std::int64_t row = 0;      // Message::row
        std::int32_t parent = -1;  // index into entries(); -1: none, or not in the store
        std::int32_t tree = 0;     // index into trees()
        std::int32_t rank = -1;    // -1: none
        std::uint16_t depth = 0;   // messages above it
        Role role = Role::Prompter;
        bool deleted = false, orphan = false;
    };
    struct Tree {
        std::int64_t row = 0;     // in the store's table of trees
        std::int32_t first = -1;  // index of its first message: the root, else the first in the file
        std::int32_t messages = 0;
        std::int32_t language = 0;          // of the first message, index into languages()
        std::uint16_t turns = 0;            // messages on its longest path
        std::optional<float> best_quality;  // the highest label `quality` of the replies to the first message
    };

    static Result<Catalogue> load(Store& store, const JobContext& job = {});

    const std::vector<Entry>& entries() const { return entries_; }            // by row
    const std::vector<Tree>& trees() const { return trees_; }                 // by first message in file order
    const std::vector<std::string>& languages() const { return languages_; }  // "" where there is none
    std::int64_t count(Trait trait) const { return traits_[static_cast<std::size_t>(trait)]; }

    std::optional<std::int32_t> indexOf(std::int64_t row) const;
    // Entries by depth, then file order: parents before their replies, wherever they stand in the file.
    const std::vector<std::uint32_t>& byDepth() const { return by_depth_; }

  private:
    std::vector<Entry> entries_;
    std::vector<Tree> trees_;
    std::vector<std::string> languages_;
    std::vector<std::uint32_t> by_depth_;
    std::array<std::int64_t, kTraits> traits_{};
};

// A filter's answer about every message and every tree.
struct Selection {
    std::vector<Verdict> verdicts;      // of each entry
    std::vector<std::int32_t> kept;     // of each tree: messages that stay
    std::vector<std::int32_t> matched;  // of each tree: messages the filter matches, as query() counts them
    std::vector<bool> trainable;        // of each tree: a reply stays that can be learned from
    LeftOut left_out;
    std::int64_t messages = 0;  // kept ones
    std::int64_t matched_messages = 0;
    std::int64_t conversations = 0;  // trees of which something is kept
    std::int64_t trainable_conversations = 0;
};

// Deleted messages and orphans are left out unless the filter has a condition on `deleted` (or `orphan`) itself. A
// message left out takes its subtree along. A tree is trainable as dataset::TreeIndex has it: it begins with a
// prompter (or system) message and an assistant's reply can be reached by alternating turns. `limit` 0: none.
Result<Selection> select(Store& store, const Catalogue& catalogue, const Filter& filter, const JobContext& job = {},
                         std::chrono::milliseconds limit = {});

}  // namespace studio::corpus
