// A configuration file as it was read: scalars keep their spelling, so that the field's own type decides what they
// mean. YAML's guesses (010 is eight, no is false) never apply.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace studio::config {

struct Node {
    enum class Kind {
        Null,
        Plain,   // unquoted: a number, a truth value, or in YAML text
        Quoted,  // text for sure
        List,
        Map,
    };
    Kind kind = Kind::Null;
    std::string text;         // of Plain and Quoted
    std::vector<Node> items;  // of List
    struct Entry;
    std::vector<Entry> entries;  // of Map, in the file's order; keys are scalars, each once
    int line = 0, column = 0;    // from 1; 0 where not known

    bool isScalar() const { return kind == Kind::Plain || kind == Kind::Quoted; }
    const Node* find(std::string_view key) const;  // value of a Map's key
};

struct Node::Entry {
    Node key, value;
};

inline constexpr std::size_t kMaxConfigBytes = 1u << 20;

// One YAML document. Refused, with line and column: more than 1 MB, invalid UTF-8, nesting above 16, anchors and
// aliases, tags, a key given twice, keys that are no scalars, several documents. An empty document is an empty map.
Result<Node> parseYaml(std::string_view text, std::string_view name);

// Strict JSON. Top-level keys and their values know their line and column.
Result<Node> parseJsonNode(std::string_view text, std::string_view name);

// By the extension of `name` (.json, .yaml, .yml), else JSON where the first character is a brace.
Result<Node> parseConfigText(std::string_view text, std::string_view name);

// The value on one line, JSON-like: what messages quote. Long ones are cut.
std::string shown(const Node& node);

// Same value: numbers by value, everything that says "nothing" (null, empty text, list or map) as equal.
bool sameValue(const Node& a, const Node& b);

// Offset of the first byte that is not part of valid UTF-8, or npos.
std::size_t invalidUtf8(std::string_view text);

}  // namespace studio::config
