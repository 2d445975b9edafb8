// Which messages a filter matches.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/job.h"
#include "base/result.h"
#include "corpus/filter.h"
#include "corpus/store.h"

namespace studio::corpus {

struct QueryOptions {
    bool message_ids = false;  // fill QueryResult::message_ids
    // A regular expression over many texts can take long; beyond this the query is an error.
    std::chrono::milliseconds time_limit{30000};
};

struct QueryResult {
    std::int64_t messages = 0;       // every stored message the filter matches
    std::int64_t conversations = 0;  // distinct trees among them
    std::int64_t roots = 0;          // those without a parent id
    std::int64_t orphans = 0;        // those whose parent is not in the store
    std::vector<std::int64_t> rows;  // Message::row, ascending: file order
    std::vector<std::string> message_ids;
};

// Words in the filter bring the store's text index up to date first.
Result<QueryResult> query(Store& store, const Filter& filter, const QueryOptions& options = {},
                          const JobContext& job = {});

}  // namespace studio::corpus
