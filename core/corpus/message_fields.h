// One message as a line spells it, before it is stored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/json_line.h"
#include "corpus/message.h"

namespace studio::corpus {

struct LabelField {
    std::string_view name;
    std::optional<double> value;
    std::optional<int> count;
};
struct EmojiField {
    std::string_view name;
    std::int64_t count;
};
struct DetoxifyField {
    std::string_view name;
    double value;
};

// Views into the parsed line. Labels, emojis and scores are sorted by name, so that both spellings of a message give
// the same bytes in the store.
struct MessageFields {
    std::string_view message_id, text;
    std::optional<std::string_view> parent_id, tree_id, lang, user_id, created_date, model_name, tree_state;
    Role role = Role::Prompter;
    std::optional<std::int64_t> created;  // microseconds since 1970, UTC
    std::optional<int> review_count, rank;
    std::optional<bool> review_result;
    bool deleted = false, synthetic = false;
    std::vector<LabelField> labels;
    std::vector<EmojiField> emojis;
    std::vector<DetoxifyField> detoxify;

    void clear();  // keeps the vectors' memory
};

// Field name → values that could not be used.
using DroppedValues = std::map<std::string, std::uint64_t>;

// Reads a message object of OASST1 (not its replies). A sentence if the message has to be rejected: no id, no text, an
// unknown role. Everything else that is impossible becomes absent and is counted.
std::optional<std::string> readMessageFields(JsonObject object, MessageFields& fields, DroppedValues& dropped);

// ISO 8601 with a time zone, 1970 to 2100. Microseconds since 1970, UTC.
std::optional<std::int64_t> parseTimestamp(std::string_view text);

// Days since 1970-01-01 of a date of the Gregorian calendar; nothing if there is no such day.
std::optional<std::int64_t> daysSince1970(int year, int month, int day);

}  // namespace studio::corpus
