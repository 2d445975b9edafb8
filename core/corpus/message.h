// One message of a conversation tree, as the corpus keeps it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "text/chat_template.h"

namespace studio::corpus {

using text::Role;

// The mean of what people said about one property, 0 to 1, and how many they were.
struct Label {
    std::optional<double> value;
    std::optional<int> count;
    bool operator==(const Label&) const = default;
};

// Field names and meanings are those of OASST1. A field that the file lacks, leaves null or fills with something
// impossible is empty here; an absent value is never 0.
struct Message {
    std::int64_t row = 0;  // file order: grows with the place in the file, and with every further import
    std::string message_id;
    std::optional<std::string> parent_id;  // empty: a root
    std::string tree_id;
    std::string text;  // UTF-8, may contain NUL
    Role role = Role::Prompter;
    std::optional<std::string> lang;  // "en", "pt-BR"
    std::optional<std::string> user_id;
    std::optional<std::string> created_date;  // ISO 8601, as in the file
    std::optional<std::string> model_name;
    std::optional<std::string> tree_state;
    std::optional<int> review_count;
    std::optional<bool> review_result;
    std::optional<int> rank;  // among its siblings, 0 is best
    bool deleted = false;
    bool synthetic = false;
    std::map<std::string, Label, std::less<>> labels;
    std::map<std::string, std::int64_t, std::less<>> emojis;
    std::map<std::string, double, std::less<>> detoxify;

    // Derived from the tree.
    bool orphan = false;      // names a parent that the store does not hold
    int depth = 0;            // 0 for a root (and for an orphan, whose place is unknown)
    int replies = 0;          // direct ones
    std::int64_t length = 0;  // characters (code points) of `text`
};

}  // namespace studio::corpus
