// A filter as SQL: a condition over m (messages) and d (details), every value a parameter.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "corpus/filter.h"
#include "corpus/filter_expression.h"
#include "corpus/sqlite.h"

namespace studio::corpus {

using SqlValue = std::variant<std::int64_t, double, std::string, const Regex*>;

// Refers to the filter, which has to outlive it.
struct FilterSql {
    std::string where;  // never NULL where a NOT depends on it; "1" for everything
    std::vector<SqlValue> values;
    bool needs_details = false;
    bool needs_words = false;

    // From parameter `first` on.
    void bind(Statement& statement, int first = 1) const;
};

FilterSql filterSql(const Filter& filter);

}  // namespace studio::corpus
