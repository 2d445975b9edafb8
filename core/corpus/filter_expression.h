// A parsed filter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "corpus/filter_fields.h"
#include "corpus/regex.h"

namespace studio::corpus {

enum class Comparison : std::uint8_t {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Between,
    Present,
    Absent
};

struct Condition {
    const FilterField* field = nullptr;
    std::string name;  // of a label, score or emoji
    Comparison comparison = Comparison::Equal;
    double low = 0, high = 0;                  // numbers; `low` alone unless Between (inclusive)
    std::int64_t begin = 0, end = 0;           // dates: microseconds since 1970, [begin, end)
    std::vector<std::string> texts;            // names, languages, choices: any of them; one for words and patterns
    bool prefix = false;                       // words: the last one is the beginning of a word
    bool flag = true;                          // flags: what is asked for
    std::optional<Regex> regex;                // Contains and Pattern
    std::size_t text_begin = 0, text_end = 0;  // where it stands in the filter's text
};

struct Expression {
    enum class Kind : std::uint8_t { And, Or, Not, Condition };
    Kind kind = Kind::Condition;
    std::vector<Expression> children;  // Not: one; And, Or: at least two
    Condition condition;
};

}  // namespace studio::corpus
