#include "corpus/message_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "corpus/known_names.h"

namespace studio::corpus {
namespace {

constexpr std::size_t kMaxId = 256;     // bytes
constexpr std::size_t kMaxName = 64;    // bytes of a label's or emoji's name
constexpr std::size_t kMaxNames = 256;  // labels a message

using Reason = std::optional<std::string>;

// JSON integers, and doubles without a fraction: pandas writes a column of integers with gaps as 0.0.
std::optional<std::int64_t> wholeNumber(JsonElement value) {
    std::int64_t integer = 0;
    if (value.is_int64() && value.get(integer) == simdjson::SUCCESS) return integer;
    double real = 0;
    if (value.is_double() && value.get(real) == simdjson::SUCCESS && std::trunc(real) == real && std::fabs(real) < 1e15)
        return static_cast<std::int64_t>(real);
    return std::nullopt;
}

std::optional<double> realNumber(JsonElement value) {
    double real = 0;
    if (!value.is_number() || value.get(real) != simdjson::SUCCESS || !std::isfinite(real)) return std::nullopt;
    return real;
}

std::optional<std::string_view> string(JsonElement value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
    return text;
}

class Reader {
  public:
    Reader(MessageFields& fields, DroppedValues& dropped) : fields_(fields), dropped_(dropped) {}

    Reason read(JsonObject object);

  private:
    Reason readField(std::string_view key, JsonElement value);
    Reason readId(std::string_view key, JsonElement value);
    Reason readRole(JsonElement value);
    std::optional<int> count(const char* field, JsonElement value);
    std::optional<bool> flag(const char* field, JsonElement value);
    std::optional<std::string_view> name(const char* field, JsonElement value);
    std::optional<double> labelValue(JsonElement value);
    void readLabels(JsonElement value);
    void readLabelLists(simdjson::dom::array names, JsonObject object);
    void addLabel(std::string_view name, JsonElement value);
    void readEmojis(JsonElement value);
    void readDetoxify(JsonElement value);
    void drop(const char* field) { ++dropped_[field]; }

    MessageFields& fields_;
    DroppedValues& dropped_;
    bool has_id_ = false, has_text_ = false, has_role_ = false;
};

std::optional<int> Reader::count(const char* field, JsonElement value) {
    if (value.is_null()) return std::nullopt;
    const auto number = wholeNumber(value);
    if (number && *number >= 0 && *number <= std::numeric_limits<int>::max()) return static_cast<int>(*number);
    drop(field);
    return std::nullopt;
}

std::optional<bool> Reader::flag(const char* field, JsonElement value) {
    if (value.is_null()) return std::nullopt;
    bool boolean = false;
    if (value.get(boolean) == simdjson::SUCCESS) return boolean;
    const auto number = wholeNumber(value);
    if (number && (*number == 0 || *number == 1)) return *number == 1;
    drop(field);
    return std::nullopt;
}

std::optional<std::string_view> Reader::name(const char* field, JsonElement value) {
    if (value.is_null()) return std::nullopt;
    const auto text = string(value);
    if (text && !text->empty() && text->size() <= kMaxId) return text;
    drop(field);
    return std::nullopt;
}

std::optional<double> Reader::labelValue(JsonElement value) {
    if (value.is_null()) return std::nullopt;
    const auto number = realNumber(value);
    if (number && *number >= 0 && *number <= 1) return number;
    drop("labels");
    return std::nullopt;
}

void Reader::addLabel(std::string_view label, JsonElement value) {
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) {
        fields_.labels.push_back({label, labelValue(value), std::nullopt});
        return;
    }
    LabelField field{label, std::nullopt, std::nullopt};
    for (const auto [key, part] : object) {
        if (key == "value")
            field.value = labelValue(part);
        else if (key == "count")
            field.count = count("labels", part);
    }
    fields_.labels.push_back(field);
}

// {"name": ["spam", …], "value": [0.0, …], "count": [3, …]}: the columns of the Parquet files.
void Reader::readLabelLists(simdjson::dom::array names, JsonObject object) {
    simdjson::dom::array values, counts;
    const bool has_values = object["value"].get(values) == simdjson::SUCCESS && values.size() == names.size();
    const bool has_counts = object["count"].get(counts) == simdjson::SUCCESS && counts.size() == names.size();
    if (!has_values || !has_counts) return drop("labels");
    auto value = values.begin();
    auto raters = counts.begin();
    for (const JsonElement label : names) {
        if (const auto text = string(label))
            fields_.labels.push_back({*text, labelValue(*value), count("labels", *raters)});
        else
            drop("labels");
        ++value;
        ++raters;
    }
}

void Reader::readLabels(JsonElement value) {
    if (value.is_null()) return;
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) return drop("labels");
    simdjson::dom::array names;
    if (object["name"].get(names) == simdjson::SUCCESS) return readLabelLists(names, object);
    for (const auto [label, content] : object) addLabel(label, content);
}

void Reader::readEmojis(JsonElement value) {
    if (value.is_null()) return;
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) return drop("emojis");
    const auto add = [this](std::string_view emoji, JsonElement amount) {
        const auto number = wholeNumber(amount);
        if (number && *number >= 0)
            fields_.emojis.push_back({emoji, *number});
        else
            drop("emojis");
    };
    simdjson::dom::array names, counts;
    if (object["name"].get(names) != simdjson::SUCCESS) {
        for (const auto [emoji, amount] : object) add(emoji, amount);
        return;
    }
    if (object["count"].get(counts) != simdjson::SUCCESS || counts.size() != names.size()) return drop("emojis");
    auto amount = counts.begin();
    for (const JsonElement emoji : names) {
        if (const auto text = string(emoji))
            add(*text, *amount);
        else
            drop("emojis");
        ++amount;
    }
}

void Reader::readDetoxify(JsonElement value) {
    if (value.is_null()) return;
    JsonObject object;
    if (value.get(object) != simdjson::SUCCESS) return drop("detoxify");
    for (const auto [score, number] : object) {
        const auto real = realNumber(number);
        if (real)
            fields_.detoxify.push_back({score, *real});
        else if (!number.is_null())
            drop("detoxify");
    }
}

Reason Reader::readId(std::string_view key, JsonElement value) {
    if (value.is_null() && key != "message_id") return std::nullopt;
    const auto id = string(value);
    if (!id) return fmt::format("Its {} is not a string.", key);
    if (id->empty()) return fmt::format("Its {} is empty.", key);
    if (id->size() > kMaxId) return fmt::format("Its {} is longer than {} bytes.", key, kMaxId);
    if (key == "message_id") {
        fields_.message_id = *id;
        has_id_ = true;
    } else if (key == "parent_id") {
        fields_.parent_id = id;
    } else {
        fields_.tree_id = id;
    }
    return std::nullopt;
}

Reason Reader::readRole(JsonElement value) {
    const auto text = string(value);
    if (!text) return "Its role is not a string; it has to be prompter or assistant.";
    const auto role = roleOfName(*text);
    if (!role || *role == Role::System)
        return fmt::format("Its role \"{}\" is unknown; it has to be prompter or assistant.", text->substr(0, 40));
    fields_.role = *role;
    has_role_ = true;
    return std::nullopt;
}

Reason Reader::readField(std::string_view key, JsonElement value) {
    if (key == "message_id" || key == "parent_id" || key == "message_tree_id") return readId(key, value);
    if (key == "role") return readRole(value);
    if (key == "text") {
        const auto text = string(value);
        if (!text) return "Its text is not a string.";
        fields_.text = *text;
        has_text_ = true;
    } else if (key == "lang")
        fields_.lang = name("lang", value);
    else if (key == "user_id")
        fields_.user_id = name("user_id", value);
    else if (key == "model_name")
        fields_.model_name = name("model_name", value);
    else if (key == "tree_state")
        fields_.tree_state = name("tree_state", value);
    else if (key == "review_count")
        fields_.review_count = count("review_count", value);
    else if (key == "review_result")
        fields_.review_result = flag("review_result", value);
    else if (key == "rank")
        fields_.rank = count("rank", value);
    else if (key == "deleted")
        fields_.deleted = flag("deleted", value).value_or(false);
    else if (key == "synthetic")
        fields_.synthetic = flag("synthetic", value).value_or(false);
    else if (key == "labels")
        readLabels(value);
    else if (key == "emojis")
        readEmojis(value);
    else if (key == "detoxify")
        readDetoxify(value);
    else if (key == "created_date") {
        fields_.created_date = name("created_date", value);
        if (fields_.created_date) fields_.created = parseTimestamp(*fields_.created_date);
        if (fields_.created_date && !fields_.created) {
            fields_.created_date.reset();
            drop("created_date");
        }
    }
    return std::nullopt;
}

// Sorted by name; of several with one name the first, and those with impossible names not at all.
template <class Field>
void tidy(std::vector<Field>& values, const char* what, DroppedValues& dropped) {
    const std::size_t before = values.size();
    std::erase_if(values, [](const Field& field) { return field.name.empty() || field.name.size() > kMaxName; });
    if (values.size() > kMaxNames) values.resize(kMaxNames);
    std::stable_sort(values.begin(), values.end(), [](const Field& a, const Field& b) { return a.name < b.name; });
    const auto same = [](const Field& a, const Field& b) { return a.name == b.name; };
    values.erase(std::unique(values.begin(), values.end(), same), values.end());
    if (values.size() < before) dropped[what] += before - values.size();
}

Reason Reader::read(JsonObject object) {
    Reason reason;
    for (const auto [key, value] : object) {
        auto problem = readField(key, value);
        if (problem && !reason) reason = std::move(problem);  // go on: the id is wanted for the list of rejections
    }
    if (reason) return reason;
    if (!has_id_) return "It has no message_id.";
    if (!has_text_) return "It has no text.";
    if (!has_role_) return "It has no role; prompter or assistant is expected.";
    tidy(fields_.labels, "labels", dropped_);
    tidy(fields_.emojis, "emojis", dropped_);
    tidy(fields_.detoxify, "detoxify", dropped_);
    return std::nullopt;
}

}  // namespace

void MessageFields::clear() {
    MessageFields empty;
    std::swap(empty.labels, labels);
    std::swap(empty.emojis, emojis);
    std::swap(empty.detoxify, detoxify);
    empty.labels.clear();
    empty.emojis.clear();
    empty.detoxify.clear();
    *this = std::move(empty);
}

std::optional<std::string> readMessageFields(JsonObject object, MessageFields& fields, DroppedValues& dropped) {
    fields.clear();
    return Reader(fields, dropped).read(object);
}

}  // namespace studio::corpus
