// From a file's keys to fields and issues.
#include <fmt/format.h>

#include <algorithm>

#include "config/codec.h"
#include "config/known_keys.h"
#include "config/nearest.h"
#include "config/recipe_file.h"
#include "config/recipe_parse.h"
#include "config/scalar.h"

namespace studio::config {
namespace {

// "<HUB_TOKEN>": what transformers writes in place of a secret.
bool isToken(const Node& value) {
    return value.isScalar() && value.text.starts_with('<') && value.text.ends_with('>');
}

bool isDefault(const KnownKey& known, const Node& value) {
    const auto same = [&](std::string_view json) {
        const auto node = parseValue(json);
        return node && sameValue(value, *node);
    };
    return value.kind == Node::Kind::Null || same(known.fallback) || (!known.accepted.empty() && same(known.accepted));
}

}  // namespace

Result<Node> parseValue(std::string_view text) {
    STUDIO_TRY(Node root, parseYaml(fmt::format("value: {}\n", text), "The value"));
    if (root.entries.size() != 1)
        return fail(ErrorCode::InvalidArgument, "The value holds more than one line.", "Write it on one line.");
    Node value = std::move(root.entries.front().value);
    value.line = value.column = 0;
    return value;
}

void Assigner::issue(Severity severity, const Node& at, std::string_view key, std::string message, std::string hint) {
    into_.issues.push_back(
        {std::string(key), severity, std::move(message), std::move(hint), std::string(name_), at.line, at.column});
}

void Assigner::assign(const Node& key, const Node& value) {
    const std::string& text = key.text;
    const auto field = findField(text);
    const auto known = findKnownKey(text);
    const auto all = translations();
    const bool translated = std::any_of(all.begin(), all.end(), [&](const Translation& t) { return t.key == text; });
    if (!field && !known && !translated) return unknown(key);

    const File belongs = field ? field->file : known ? known->file : File::Training;
    if (file_ && belongs != *file_)
        return issue(Severity::Error, key, text, fmt::format("{} belongs in {}.", text, fileName(belongs)),
                     fmt::format("Move the line to {}.", fileName(belongs)));
    if (field) return setField(*field, key, value);
    if (known) return setKnown(*known, key, value);
    translate(key, value);
}

void Assigner::setField(const Field& field, const Node& key, const Node& value) {
    const bool again = std::any_of(into_.places.begin(), into_.places.end(), [&](const KeyPlace& place) {
        return place.key == field.key && place.file == name_;
    });
    if (again && file_)
        return issue(Severity::Error, key, key.text, fmt::format("{} sets {} a second time.", key.text, field.key),
                     "Keep one of the two lines.");
    into_.places.push_back({std::string(field.key), std::string(name_), key.line, key.column});
    if (auto done = readField(field, value, into_.recipe); !done)
        issue(Severity::Error, value.line ? value : key, field.key,
              fmt::format("{} {}", key.text, done.error().message), done.error().hint);
    else if (field.key == "group_by_length" && into_.recipe.training.group_by_length)
        into_.without_effect.push_back(key.text);
}

void Assigner::setKnown(const KnownKey& known, const Node& key, const Node& value) {
    switch (known.disposition) {
        case Disposition::Alias:
            if (value.kind != Node::Kind::Null) setField(*findField(known.reason), key, value);
            return;
        case Disposition::NoEffect:
            into_.without_effect.push_back(key.text);
            if (!isDefault(known, value) && !isToken(value))
                issue(Severity::Notice, key, key.text, fmt::format("{} has no effect here.", key.text),
                      std::string(known.reason));
            return;
        case Disposition::OnlyDefault:
            if (!isDefault(known, value))
                issue(Severity::Error, key, key.text,
                      fmt::format("{} is {}, which is refused.", key.text, shown(value)),
                      fmt::format("{}. Write {} or leave the line out.", known.reason,
                                  known.accepted.empty() ? known.fallback : known.accepted));
            return;
    }
}

void Assigner::translate(const Node& key, const Node& value) {
    std::vector<std::string_view> values;
    for (const Translation& translation : translations()) {
        if (translation.key != key.text) continue;
        values.push_back(translation.value);
        if (value.kind != Node::Kind::Null && value.text != translation.value) continue;
        into_.without_effect.insert(into_.without_effect.end(), translation.field.empty() ? 1 : 0, key.text);
        if (value.kind == Node::Kind::Null || translation.field.empty()) return;
        Node translated = value;
        translated.kind = Node::Kind::Plain;
        translated.text = translation.field_value;
        return setField(*findField(translation.field), key, translated);
    }
    issue(Severity::Error, value.line ? value : key, key.text,
          fmt::format("{} is {}, which is none of its values.", key.text, shown(value)),
          fmt::format("Its values are {}.", joined(values, "and")));
}

void Assigner::unknown(const Node& key) {
    const std::string_view meant = otherName(key.text);
    const std::string_view near = meant.empty() ? nearest(key.text, allKeys()) : meant;
    std::string hint =
        meant.empty() ? fmt::format("The nearest known key is {}.", near) : fmt::format("It is called {} here.", near);
    if (const auto field = findField(near); field && file_ && field->file != *file_)
        hint = fmt::format("{} Its file is {}.", hint, fileName(field->file));
    issue(Severity::Error, key, key.text, fmt::format("{} is no known key.", shown(key)), hint);
}

namespace {

// The comment that begins the file, down to the first other line.
std::string leadingComment(std::string_view text) {
    std::string out;
    bool first = true;
    while (text.starts_with('#')) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(1, end == text.npos ? end : end - 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with(' ')) line.remove_prefix(1);
        if (!first) out += '\n';
        out += line;
        first = false;
        if (end == text.npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

Result<void> parseFile(std::string_view text, std::string_view name, File file, ReadRecipe& into) {
    STUDIO_TRY(const Node root, parseConfigText(text, name));
    Assigner assigner(into, name, file);
    for (const auto& [key, value] : root.entries) assigner.assign(key, value);
    return {};
}

}  // namespace

Result<void> parseTrainingConfig(std::string_view text, std::string_view name, ReadRecipe& into) {
    into.recipe.training = {};
    STUDIO_CHECK(parseFile(text, name, File::Training, into));
    into.recipe.description = leadingComment(text);
    return {};
}

Result<void> parseQloraConfig(std::string_view text, std::string_view name, ReadRecipe& into) {
    into.recipe.qlora = {};
    STUDIO_CHECK(parseFile(text, name, File::Qlora, into));
    const auto says = [&](std::string_view key) {
        return std::any_of(into.places.begin(), into.places.end(),
                           [&](const KeyPlace& place) { return place.key == key && place.file == name; });
    };
    const QloraConfig& qlora = into.recipe.qlora;
    if (qlora.load_in_4bit && !says("bnb_4bit_quant_type"))
        into.issues.push_back(
            {"bnb_4bit_quant_type", Severity::Error,
             "bnb_4bit_quant_type is missing, which means fp4 in bitsandbytes, and fp4 is not offered.",
             R"(Write "bnb_4bit_quant_type": "nf4", or "load_in_4bit": false for no quantisation.)", std::string(name),
             0, 0});
    else if (!says("load_in_4bit"))
        into.issues.push_back({"load_in_4bit", Severity::Notice, "load_in_4bit is missing and taken as true.",
                               R"(Write "load_in_4bit": true or false to say it.)", std::string(name), 0, 0});
    return {};
}

}  // namespace studio::config
