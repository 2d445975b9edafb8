#include "config/recipe_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/codec.h"
#include "config/recipe_parse.h"
#include "config/scalar.h"
#include "io/file.h"

namespace studio::config {
namespace {

Error allErrors(const Issues& issues) {
    Error error{ErrorCode::InvalidArgument, {}, {}};
    for (const FieldIssue& issue : issues) {
        if (issue.severity != Severity::Error) continue;
        if (error.message.empty()) {
            FieldIssue first = issue;
            std::swap(error.hint, first.hint);
            error.message = first.text();
        } else {
            error.hint += '\n';
            error.hint += issue.text();
        }
    }
    return error;
}

// "a, b" as [a, b].
Node commaList(std::string_view text) {
    Node list;
    list.kind = Node::Kind::List;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        Node item;
        item.kind = Node::Kind::Plain;
        item.text = text.substr(begin, end - begin);
        while (item.text.starts_with(' ')) item.text.erase(0, 1);
        while (item.text.ends_with(' ')) item.text.pop_back();
        list.items.push_back(std::move(item));
        begin = end + 1;
    }
    return list;
}

// The text of `--set` as a node: of a text field as it is, of a list also "a,b,c".
Result<Node> nodeOf(const std::optional<Field>& field, std::string_view text) {
    Node node;
    node.kind = Node::Kind::Quoted;
    node.text = text;
    if (field && isText(*field)) {
        if (text == "null" && std::holds_alternative<Member<std::optional<std::string>>>(field->binding))
            node.kind = Node::Kind::Null;
        return node;
    }
    if (field && isList(*field) && !text.starts_with('[') && !text.starts_with('"') && text != "null") {
        const bool names = text.find_first_of("*+?()|{}^$\\") == text.npos && text != "all-linear";
        return names ? commaList(text) : node;
    }
    return parseValue(text);
}

// One assignment; what it says goes to `read.issues`.
void assignText(ReadRecipe& read, std::string_view key, std::string_view text) {
    Node name;
    name.kind = Node::Kind::Plain;
    name.text = key;
    std::replace(name.text.begin(), name.text.end(), '-', '_');
    std::erase_if(read.issues, [&](const FieldIssue& issue) { return issue.key == name.text; });
    auto value = invalidUtf8(text) != text.npos
                     ? Result<Node>(fail(ErrorCode::InvalidArgument, "The value is not UTF-8 text.", "Write UTF-8."))
                     : nodeOf(findField(name.text), text);
    if (!value) {
        read.issues.push_back({name.text, Severity::Error,
                               fmt::format("{} cannot be set: {}", key, value.error().message), value.error().hint,
                               "--set", 0, 0});
        return;
    }
    Assigner(read, "--set", std::nullopt).assign(name, *value);
}

}  // namespace

Result<ReadRecipe> readRecipe(const std::filesystem::path& training_config, const std::filesystem::path& qlora_config) {
    ReadRecipe read;
    if (!training_config.empty()) {
        STUDIO_TRY(const std::string text, io::readFile(training_config, kMaxConfigBytes));
        STUDIO_CHECK(parseTrainingConfig(text, training_config.string(), read));
    }
    if (qlora_config.empty()) {
        read.recipe.qlora = defaultQuantisation();
    } else {
        STUDIO_TRY(const std::string text, io::readFile(qlora_config, kMaxConfigBytes));
        STUDIO_CHECK(parseQloraConfig(text, qlora_config.string(), read));
    }
    return read;
}

Result<QloraConfig> loadQloraConfig(const std::filesystem::path& qlora_config) {
    ReadRecipe read;
    STUDIO_TRY(const std::string text, io::readFile(qlora_config, kMaxConfigBytes));
    STUDIO_CHECK(parseQloraConfig(text, qlora_config.string(), read));
    STUDIO_TRY(Recipe recipe, requireValid(read));
    return std::move(recipe.qlora);
}

Result<Recipe> requireValid(const ReadRecipe& read) {
    if (hasErrors(read.issues)) return fail(allErrors(read.issues));
    return read.recipe;
}

Result<Recipe> loadRecipe(const std::filesystem::path& training_config, const std::filesystem::path& qlora_config,
                          const std::vector<std::string>& assignments, ReadRecipe* read) {
    STUDIO_TRY(ReadRecipe all, readRecipe(training_config, qlora_config));
    for (const std::string& assignment : assignments) {
        const std::size_t equals = assignment.find('=');
        if (equals == assignment.npos || equals == 0)
            return fail(ErrorCode::InvalidArgument, fmt::format("--set {} is no assignment.", assignment),
                        "Write --set key=value, such as --set learning_rate=2.0e-4.");
        assignText(all, std::string_view(assignment).substr(0, equals),
                   std::string_view(assignment).substr(equals + 1));
    }
    checkRead(all);
    auto recipe = requireValid(all);
    if (read) *read = std::move(all);
    return recipe;
}

Result<void> setFromText(Recipe& recipe, std::string_view key, std::string_view text) {
    ReadRecipe read;
    read.recipe = recipe;
    assignText(read, key, text);
    STUDIO_TRY(recipe, requireValid(read));
    return {};
}

Result<std::string> valueText(const Recipe& recipe, std::string_view key) {
    const auto field = findField(key);
    if (!field)
        return fail(ErrorCode::NotFound, fmt::format("{} is no field of a recipe.", key), "See docs/configuration.md.");
    if (const auto* text = std::get_if<Member<std::string>>(&field->binding)) return valueOf(*text, recipe);
    if (const auto* text = std::get_if<Member<std::optional<std::string>>>(&field->binding))
        return valueOf(*text, recipe).value_or("null");
    return writeField(*field, recipe, true);
}

Result<void> writeRecipe(const Recipe& recipe, const std::filesystem::path& training_config,
                         const std::filesystem::path& qlora_config) {
    STUDIO_CHECK(io::writeFileAtomic(training_config, formatTrainingConfig(recipe)));
    return io::writeFileAtomic(qlora_config, formatQloraConfig(recipe.qlora));
}

}  // namespace studio::config
