// Reads conversation files into a store: OASST messages, trees and threads, and plain chat JSONL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/store.h"

namespace studio::corpus {

struct ImportOptions {
    // A gzip that breaks off, or a last line that is cut: import what was readable before it. Otherwise that is an
    // error.
    bool accept_truncated = false;
    // Others read the store meanwhile and are never shut out; a first import writes everything twice then.
    bool shared = false;
    std::size_t max_listed = 1000;             // entries of each list in the report; the totals are always exact
    std::uint64_t max_line = 16u << 20;        // bytes; a longer line is rejected
    std::uint64_t max_expanded = 16ull << 30;  // bytes of an expanded gzip; beyond it the import is an error
};

// A line, or a message in it, that was not imported.
struct Rejected {
    std::uint64_t line = 0;    // from 1
    std::uint64_t offset = 0;  // of the line's first byte in the (expanded) file
    std::string message_id;    // empty where the line as a whole was rejected
    std::string reason;        // a sentence
    std::string excerpt;       // the line's beginning, valid UTF-8
};

// An imported message whose parent is not in the store.
struct Orphan {
    std::uint64_t line = 0;
    std::string message_id, parent_id;
    std::string reason;  // a sentence
};

struct ImportReport {
    std::string file;               // name without folder
    std::string sha256;             // of the file's bytes
    bool already_imported = false;  // a file of the same bytes was imported before; nothing was read
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;     // of the file on disk
    std::uint64_t messages = 0;  // newly stored
    std::uint64_t merged = 0;    // equal to one that was stored already
    std::uint64_t trees = 0;     // distinct trees of the newly stored messages
    std::uint64_t roots = 0;     // newly stored ones without a parent
    std::uint64_t orphan_count = 0;
    std::vector<Orphan> orphans;  // by line; the first ImportOptions::max_listed
    std::uint64_t adopted = 0;    // earlier orphans whose parent came with this file
    std::uint64_t rejected_count = 0;
    std::vector<Rejected> rejected;  // by line; the first ImportOptions::max_listed
    // Field name → how many values of it were impossible (rank −1, a label of 7, a date in the year 9999) and were
    // stored as absent.
    std::map<std::string, std::uint64_t> dropped_values;
    std::optional<std::string> truncated;  // where the file broke off, as a sentence
    double seconds = 0;

    // "1,489 messages in 137 trees imported; 1 orphan …": one paragraph for people.
    std::string summary() const;
};

// Everything or nothing: one transaction, rolled back on any error and when stopped. Progress is in bytes of the file.
// Memory: one line, about 100 bytes a message, and the database's cache; texts are never held.
// A message whose id is stored already is merged if equal, else rejected. Within the store: a parent may come later in
// the file or in a later file; a message whose parent is absent is an orphan; self-parents, cycles, parents in another
// tree and messages deeper than 512 are rejected.
// NotFound if the file holds no conversation; Busy if another program imports into the same store.
Result<ImportReport> importFile(Store& store, const std::filesystem::path& path, const ImportOptions& options,
                                const JobContext& job);

}  // namespace studio::corpus
