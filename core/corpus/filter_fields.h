// What a filter can ask about. One table for parsing, SQL, help and the sentence in words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace studio::corpus {

enum class FieldKind : std::uint8_t {
    Number,    // rank<2, turns:2..4, rank:none
    Label,     // as Number; the name behind "label." where that is written
    Detoxify,  // detoxify.NAME
    Emoji,     // emoji.NAME; absent counts as absent, not as 0
    Choice,    // role:assistant,prompter
    Flag,      // deleted, deleted:no
    Language,  // lang:en,pt  (pt covers pt-BR)
    Name,      // exact strings, several by comma
    Date,      // created>=2023-03
    Words,     // text:word, text:"a phrase", text:wor*
    Contains,  // contains:"any characters"
    Pattern,   // re:/pattern/i
};

struct FilterField {
    std::string_view name;
    FieldKind kind;
    std::string_view sql;      // what is compared, over m (messages), d (details); of flags: the condition itself
    std::string_view words;    // "rank" in "whose rank is at least 2"; of flags: "are deleted"
    std::string_view negated;  // of flags: "are not deleted"
    std::string_view help;
};

// In the order in which help lists them. Labels have entries of their own; "label.", "detoxify." and "emoji." lead to
// those whose names are such prefixes.
std::span<const FilterField> filterFields();
const FilterField* findField(std::string_view name);  // null if there is none

// The allowed values of a Choice field with the numbers that stand for them in the database (-1: none there).
struct FieldChoice {
    std::string_view name;
    std::optional<std::int64_t> number;  // empty: the column is NULL
    std::string_view words;              // "are from an assistant"
    std::string_view negated;
};
std::span<const FieldChoice> choicesOf(const FilterField& field);

// The nearest of the given names, if it is near enough to be what was meant.
std::optional<std::string_view> nearestName(std::string_view wrong, std::span<const std::string_view> names);
std::optional<std::string_view> nearestField(std::string_view wrong);

}  // namespace studio::corpus
